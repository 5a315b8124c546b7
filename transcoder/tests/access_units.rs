//! What the framer promises about access units, on streams that hold the frames of
//! small fixtures.

mod streams;

use proptest::prelude::*;
use streams::{FIXTURES, Piece, Unit, as_substream, bytes, drain, feed, frames, pes, split};
use xg2g_transcoder::audio::Codec;
use xg2g_transcoder::audio::framer::Framer;

fn data(units: &[Unit]) -> Vec<&[u8]> {
    units.iter().map(|unit| unit.data.as_slice()).collect()
}

fn losses(units: &[Unit]) -> Vec<usize> {
    let lost = units.iter().enumerate().filter(|(_, unit)| unit.after_loss);
    lost.map(|(index, _)| index).collect()
}

#[test]
fn every_coding_is_split_into_its_frames() {
    for (codec, stream) in FIXTURES {
        let units = split(codec, &[pes(9000, stream)]);
        assert_eq!(data(&units), frames(codec), "{codec:?}");
        assert!(units.iter().all(|unit| unit.codec == codec), "{codec:?}");
        assert_eq!(losses(&units), [0usize; 0], "{codec:?}");
        assert_eq!(units[0].pts_90k, Some(9000), "{codec:?}");
        assert!(
            units[1..].iter().all(|unit| unit.pts_90k.is_none()),
            "{codec:?}"
        );
    }
}

#[test]
fn in_lock_a_unit_comes_with_its_last_byte() {
    for (codec, stream) in FIXTURES {
        let mut framer = Framer::new(codec);
        let mut units = Vec::new();
        let mut came_at = Vec::new();
        for (index, byte) in stream.iter().enumerate() {
            framer.push(&[*byte], (index == 0).then_some(streams::time(0)));
            let before = units.len();
            drain(&mut framer, &mut units);
            came_at.extend((before..units.len()).map(|_| index + 1));
        }
        let frames = frames(codec);
        let ends: Vec<usize> = (1..=frames.len())
            .map(|n| frames[..n].concat().len())
            .collect();
        let may_have_dependents = matches!(codec, Codec::Ac3 | Codec::Eac3 | Codec::Dts);
        let in_lock = usize::from(may_have_dependents);
        assert_eq!(came_at[in_lock..], ends[in_lock..], "{codec:?}");
        assert!(
            came_at[0] <= ends[0] + 11,
            "{codec:?}: the first unit waited for a header"
        );
    }
}

#[test]
fn a_pts_goes_to_the_first_unit_that_begins_in_its_pes_packet() {
    let frames = frames(Codec::MpegLayer2);
    let stream = frames.concat();
    let units = split(
        Codec::MpegLayer2,
        &[
            pes(1000, &stream[..500]),
            bytes(&stream[500..700]),
            pes(2000, &stream[700..1000]),
            pes(3000, &stream[1000..1100]),
            pes(4000, &stream[1100..]),
        ],
    );
    let stamped: Vec<_> = units
        .iter()
        .enumerate()
        .filter_map(|(index, unit)| Some((index, unit.pts_90k?)))
        .collect();
    assert_eq!(data(&units), frames);
    assert_eq!(stamped, [(0, 1000), (4, 2000), (6, 4000)]);
}

#[test]
fn a_stream_joined_in_mid_frame_begins_with_the_first_whole_frame() {
    for (codec, stream) in FIXTURES {
        let frames = frames(codec);
        let units = split(codec, &[bytes(&stream[7..])]);
        assert_eq!(data(&units), frames[1..], "{codec:?}");
    }
}

#[test]
fn a_loss_costs_the_frame_in_progress_alone() {
    for (codec, _) in FIXTURES {
        let frames = frames(codec);
        let units = split(
            codec,
            &[
                pes(0, &frames[..2].concat()),
                bytes(&frames[2][..20]),
                Piece::Loss,
                bytes(&frames[2][40..]),
                bytes(&frames[3..].concat()),
            ],
        );
        assert_eq!(
            data(&units),
            [&frames[..2], &frames[3..]].concat(),
            "{codec:?}"
        );
        assert_eq!(losses(&units), [2], "{codec:?}");
    }
}

#[test]
fn the_first_frame_behind_a_loss_waits_for_no_other() {
    for (codec, _) in FIXTURES {
        if codec == Codec::AacLatm {
            continue; // Its header says too little: it waits for the next one.
        }
        let frames = frames(codec);
        let mut framer = Framer::new(codec);
        let mut units = Vec::new();
        for piece in [
            pes(0, &frames[..2].concat()),
            bytes(&frames[2][..20]),
            Piece::Loss,
            bytes(&frames[2][40..]),
            bytes(frames[3]),
            bytes(&frames[4][..1]),
        ] {
            feed(&mut framer, &piece);
            drain(&mut framer, &mut units);
        }
        let expected = [&frames[..2], &frames[3..4]].concat();
        assert_eq!(data(&units), expected, "{codec:?}");
    }
}

#[test]
fn a_pts_from_before_a_loss_is_not_given_to_a_unit_behind_it() {
    let frames = frames(Codec::MpegLayer2);
    let units = split(
        Codec::MpegLayer2,
        &[
            pes(1000, frames[0]),
            pes(2000, &frames[1][..20]),
            Piece::Loss,
            bytes(&frames[2..5].concat()),
            pes(3000, &frames[5..].concat()),
        ],
    );
    let stamps: Vec<_> = units.iter().map(|unit| unit.pts_90k).collect();
    assert_eq!(stamps[..5], [Some(1000), None, None, None, Some(3000)]);
}

#[test]
fn a_damaged_header_does_not_pass_its_pts_on_to_the_next_unit() {
    for codec in [Codec::MpegLayer2, Codec::AacAdts, Codec::Ac3] {
        let frames = frames(codec);
        let mut damaged = frames[2..4].concat();
        damaged[0] = 0;
        let units = split(
            codec,
            &[
                pes(1000, &frames[..2].concat()),
                pes(2000, &damaged),
                pes(3000, &frames[4..].concat()),
            ],
        );
        assert_eq!(
            data(&units),
            [&frames[..2], &frames[3..]].concat(),
            "{codec:?}"
        );
        assert_eq!(losses(&units), [2], "{codec:?}");
        assert_eq!(units[2].pts_90k, None, "{codec:?}");
        assert_eq!(units[3].pts_90k, Some(3000), "{codec:?}");
    }
}

#[test]
fn a_frame_cut_by_a_splice_costs_no_whole_frame() {
    for (codec, _) in FIXTURES {
        let frames = frames(codec);
        let cut = &frames[3][..frames[3].len() - 30];
        let stream = [&frames[..3].concat(), cut, &frames[..5].concat()].concat();
        let units = split(codec, &[pes(0, &stream)]);
        let behind_the_joint = data(&units).split_off(units.len() - 5);
        assert_eq!(data(&units)[..3], frames[..3], "{codec:?}");
        assert_eq!(behind_the_joint, frames[..5], "{codec:?}");
        assert!(units.len() <= 9, "{codec:?}");
        assert_eq!(losses(&units), [units.len() - 5], "{codec:?}");
    }
}

#[test]
fn an_ac3_frame_cut_by_a_splice_is_known_by_its_checksum() {
    for codec in [Codec::Ac3, Codec::Eac3] {
        let frames = frames(codec);
        let cut = &frames[3][..frames[3].len() - 30];
        let stream = [&frames[..3].concat(), cut, &frames[..5].concat()].concat();
        let units = split(codec, &[pes(0, &stream)]);
        assert_eq!(
            data(&units),
            [&frames[..3], &frames[..5]].concat(),
            "{codec:?}"
        );
    }
}

#[test]
fn a_stream_without_checksums_is_split_nevertheless() {
    let stream: Vec<Vec<u8>> = frames(Codec::Eac3)
        .iter()
        .map(|frame| [&frame[..frame.len() - 2], &[0, 0]].concat())
        .collect();
    let units = split(Codec::Eac3, &[pes(0, &stream.concat())]);
    assert_eq!(data(&units), stream);
}

/// Players decode what such encoders send.
#[test]
fn a_stream_with_right_checksums_now_and_then_is_split_nevertheless() {
    let stream: Vec<Vec<u8>> = frames(Codec::Eac3)
        .iter()
        .enumerate()
        .map(|(index, frame)| match index % 3 {
            2 => [&frame[..frame.len() - 2], &[0, 0]].concat(),
            _ => frame.to_vec(),
        })
        .collect();
    let units = split(Codec::Eac3, &[pes(0, &stream.concat())]);
    assert_eq!(data(&units), stream);
    assert_eq!(losses(&units), [0usize; 0]);
}

#[test]
fn ac3_and_eac3_follow_each_other_without_loss() {
    let (ac3, eac3) = (frames(Codec::Ac3), frames(Codec::Eac3));
    let stream = [&ac3[..4], &eac3[..4], &ac3[4..]].concat();
    let units = split(Codec::Eac3, &[pes(0, &stream.concat())]);
    assert_eq!(data(&units), stream);
    assert_eq!(losses(&units), [0usize; 0]);
    let codecs: Vec<_> = units[3..9].iter().map(|unit| unit.codec).collect();
    use Codec::{Ac3, Eac3};
    assert_eq!(codecs, [Ac3, Eac3, Eac3, Eac3, Eac3, Ac3]);
}

#[test]
fn a_change_of_layer_and_sample_rate_is_followed_without_loss() {
    let (layer2, layer3) = (frames(Codec::MpegLayer2), frames(Codec::MpegLayer3));
    let stream = [&layer2[..], &layer3[..]].concat();
    let units = split(Codec::MpegLayer2, &[pes(0, &stream.concat())]);
    assert_eq!(data(&units), stream);
    assert_eq!(losses(&units), [0usize; 0]);
}

#[test]
fn dependent_substreams_belong_to_the_unit_before_them() {
    let units_in = |core: Codec| {
        let pairs = frames(core).into_iter().zip(frames(Codec::Eac3));
        let units = pairs.map(|(core, frame)| {
            [
                core.to_vec(),
                as_substream(frame, 1, 0),
                as_substream(frame, 1, 1),
            ]
            .concat()
        });
        units.collect::<Vec<_>>()
    };
    for core in [Codec::Eac3, Codec::Ac3] {
        let expected = units_in(core);
        let units = split(core, &[pes(0, &expected.concat())]);
        assert_eq!(data(&units), expected);
        assert!(units.iter().all(|unit| unit.codec == Codec::Eac3));
        assert_eq!(losses(&units), [0usize; 0]);
    }
}

#[test]
fn a_dependent_substream_cut_by_a_splice_costs_no_whole_frame() {
    let units_of = |core: &&[u8]| [core.to_vec(), as_substream(core, 1, 0)].concat();
    let whole: Vec<Vec<u8>> = frames(Codec::Eac3).iter().map(units_of).collect();
    let cut = &whole[3][..whole[3].len() - 30];
    let stream = [&whole[..3].concat(), cut, &whole[4..].concat()].concat();
    let units = split(Codec::Eac3, &[pes(0, &stream)]);
    let core_of_the_cut_unit = &whole[3][..whole[3].len() / 2];
    let expected: Vec<&[u8]> = whole[..3]
        .iter()
        .map(Vec::as_slice)
        .chain([core_of_the_cut_unit])
        .chain(whole[4..].iter().map(Vec::as_slice))
        .collect();
    assert_eq!(data(&units), expected);
    assert_eq!(losses(&units), [4]);
}

#[test]
fn dependent_substreams_that_begin_in_mid_stream_are_taken_from_the_second_unit_on() {
    let frames = frames(Codec::Eac3);
    let extended: Vec<Vec<u8>> = frames
        .iter()
        .map(|frame| [frame.to_vec(), as_substream(frame, 1, 0)].concat())
        .collect();
    let stream = [frames.concat(), extended.concat()].concat();
    let units = split(Codec::Eac3, &[pes(0, &stream)]);
    let n = frames.len();
    assert_eq!(data(&units)[..=n], [&frames[..], &frames[..1]].concat());
    assert_eq!(data(&units)[n + 1..], extended[1..]);
    assert_eq!(losses(&units), [0usize; 0]);
}

#[test]
fn other_programmes_in_the_stream_are_left_out_with_their_dependents() {
    let frames = frames(Codec::Eac3);
    let stream: Vec<u8> = frames
        .iter()
        .flat_map(|frame| {
            [
                frame.to_vec(),
                as_substream(frame, 0, 1),
                as_substream(frame, 1, 0),
            ]
            .concat()
        })
        .collect();
    let units = split(Codec::Eac3, &[pes(0, &stream)]);
    assert_eq!(data(&units), frames);
    assert_eq!(losses(&units), [0usize; 0]);
}

#[test]
fn a_dts_extension_belongs_to_the_core_before_it() {
    let extension_header = [
        0x64, 0x58, 0x20, 0x25, 0x00, 0x03, 0xE0, 0x0E, 0x60, 0x00, 0x00,
    ];
    let extension = [&extension_header[..], &[0x55; 105]].concat();
    let expected: Vec<Vec<u8>> = frames(Codec::Dts)
        .iter()
        .map(|core| [core, extension.as_slice()].concat())
        .collect();
    let units = split(Codec::Dts, &[pes(0, &expected.concat())]);
    assert_eq!(data(&units), expected);
}

#[test]
fn a_chance_sync_word_does_not_hold_up_the_next_pes_packet() {
    let frames = frames(Codec::AacLatm);
    let claims_8_kilobytes = [0x56, 0xFF, 0xFF, 0x00, 0x01];
    let mut framer = Framer::new(Codec::AacLatm);
    let mut units = Vec::new();
    feed(&mut framer, &bytes(&claims_8_kilobytes));
    feed(&mut framer, &pes(4000, frames[0]));
    drain(&mut framer, &mut units);
    assert_eq!(data(&units), frames[..1]);
    assert_eq!(units[0].pts_90k, Some(4000));
}

#[test]
fn of_two_headers_the_one_proven_first_is_believed_however_many_bytes_are_there() {
    let frames = frames(Codec::AacAdts);
    let length = 7 + frames[..2].concat().len();
    let mut claims_two_frames = frames[0][..7].to_vec();
    claims_two_frames[3] = claims_two_frames[3] & 0xFC | (length >> 11) as u8;
    claims_two_frames[4] = (length >> 3) as u8;
    claims_two_frames[5] = claims_two_frames[5] & 0x1F | (length << 5) as u8;
    let pieces = [bytes(&claims_two_frames), pes(4000, &frames.concat())];

    assert_eq!(data(&split(Codec::AacAdts, &pieces)), frames);
    let mut framer = Framer::new(Codec::AacAdts);
    let mut units = Vec::new();
    pieces.iter().for_each(|piece| feed(&mut framer, piece));
    drain(&mut framer, &mut units);
    assert_eq!(data(&units), frames);
}

#[test]
fn what_cannot_be_recognised_is_counted() {
    let mut framer = Framer::new(Codec::Ac3);
    framer.push(&[0x55; 5000], None);
    assert!(framer.next_unit().is_none());
    assert_eq!(framer.unrecognised_bytes(), 5000);
    framer.push(&frames(Codec::Ac3).concat(), None);
    assert!(framer.next_unit().is_some());
    assert_eq!(framer.unrecognised_bytes(), 0);
}

/// Streams as a bad day makes them: frames, pieces of frames, noise with sync
/// words in it, losses, PES packets that begin anywhere.
fn bad_streams() -> impl Strategy<Value = (Codec, Vec<Piece>)> {
    let noise = prop::collection::vec(
        prop_oneof![
            4 => any::<u8>(),
            2 => prop::sample::select(&[0xFFu8, 0xFD, 0xF1, 0x0B, 0x77, 0x56, 0xE0, 0x7F, 0xFE][..]),
        ],
        0..300,
    );
    (0..FIXTURES.len()).prop_flat_map(move |index| {
        let (codec, _) = FIXTURES[index];
        let frame = move |n: usize| {
            let frames = frames(codec);
            frames[n % frames.len()].to_vec()
        };
        let whole = (0usize..20).prop_map(frame);
        let cut = (0usize..20, any::<prop::sample::Index>(), any::<bool>()).prop_map(
            move |(n, at, front)| {
                let frame = frame(n);
                let at = at.index(frame.len());
                if front {
                    frame[..at].to_vec()
                } else {
                    frame[at..].to_vec()
                }
            },
        );
        let substream = (0usize..10, 0u8..3, 0u8..2)
            .prop_map(|(n, strmtyp, id)| as_substream(frames(Codec::Eac3)[n], strmtyp, id));
        let payload = prop_oneof![
            12 => whole,
            2 => cut,
            2 => substream,
            1 => noise.clone(),
        ];
        let piece = prop_oneof![
            12 => (payload, prop::option::weighted(0.3, 0u64..1 << 33)).prop_map(
                |(payload, pts)| Piece::Payload(payload, pts.map(streams::time))
            ),
            1 => Just(Piece::Loss),
        ];
        (Just(codec), prop::collection::vec(piece, 1..40))
    })
}

/// The same stream with each payload divided into parts of at most the given sizes.
fn divided(pieces: &[Piece], sizes: &[usize]) -> Vec<Piece> {
    let mut sizes = sizes.iter().cycle();
    let mut result = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Loss => result.push(Piece::Loss),
            Piece::Payload(payload, pts) => {
                let mut pts = *pts;
                let mut rest = payload.as_slice();
                loop {
                    let size = sizes.next().map_or(1, |&size| size.min(rest.len()));
                    let (part, behind) = rest.split_at(size);
                    result.push(Piece::Payload(part.to_vec(), pts.take()));
                    rest = behind;
                    if rest.is_empty() {
                        break;
                    }
                }
            }
        }
    }
    result
}

proptest! {
    #[test]
    fn any_division_of_the_same_bytes_gives_the_same_units(
        (codec, pieces) in bad_streams(),
        sizes in prop::collection::vec(1usize..200, 1..20),
    ) {
        let expected = split(codec, &pieces);
        prop_assert_eq!(&split(codec, &divided(&pieces, &sizes)), &expected);
        prop_assert_eq!(&split(codec, &divided(&pieces, &[1])), &expected);

        let mut framer = Framer::new(codec);
        pieces.iter().for_each(|piece| feed(&mut framer, piece));
        framer.flush();
        let mut taken_at_the_end = Vec::new();
        drain(&mut framer, &mut taken_at_the_end);
        prop_assert_eq!(&taken_at_the_end, &expected);
    }

    #[test]
    fn units_are_pieces_of_the_stream_and_stay_between_losses(
        (codec, pieces) in bad_streams(),
    ) {
        let runs: Vec<Vec<u8>> = pieces
            .split(|piece| *piece == Piece::Loss)
            .map(|run| {
                let payloads = run.iter().map(|piece| match piece {
                    Piece::Payload(payload, _) => payload.as_slice(),
                    Piece::Loss => &[],
                });
                payloads.collect::<Vec<_>>().concat()
            })
            .collect();
        for unit in split(codec, &pieces) {
            let length = unit.data.len();
            prop_assert!(
                runs.iter().any(|run| run.windows(length).any(|window| window == unit.data))
            );
        }
    }
}

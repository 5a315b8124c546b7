//! What the sniffer promises: the coding is what the elementary stream says, and
//! nothing is lost while that is found out.

mod streams;

use proptest::prelude::*;
use streams::{FIXTURES, bytes, drain, feed, frames, pes, split};
use xg2g_transcoder::audio::Codec;
use xg2g_transcoder::audio::Family;
use xg2g_transcoder::audio::sniff::{MAX_SNIFFED_BYTES, Sniffer, Verdict};

/// Bytes in which no sync word occurs.
const SILENCE: [u8; 1000] = [0x21; 1000];

fn verdict(declared: Option<Codec>, stream: &[u8]) -> Verdict {
    let mut sniffer = Sniffer::new(declared);
    sniffer.push(stream, None);
    sniffer.verdict()
}

#[test]
fn one_header_at_the_start_of_a_pes_packet_confirms_the_declared_coding() {
    for (codec, stream) in FIXTURES {
        let header_bytes = Family::of(codec).header_bytes();
        let mut sniffer = Sniffer::new(Some(codec));
        sniffer.push(&stream[..header_bytes - 1], Some(streams::time(0)));
        assert_eq!(sniffer.verdict(), Verdict::NeedMore, "{codec:?}");
        sniffer.push(&stream[header_bytes - 1..header_bytes], None);
        assert_eq!(sniffer.verdict(), Verdict::Found(codec), "{codec:?}");
    }
}

#[test]
fn a_false_declaration_does_not_hide_what_the_stream_holds() {
    for (codec, stream) in FIXTURES {
        for (declared, _) in FIXTURES {
            let mut sniffer = Sniffer::new(Some(declared));
            feed_whole(&mut sniffer, stream);
            assert_eq!(
                sniffer.verdict(),
                Verdict::Found(codec),
                "declared {declared:?}"
            );
        }
    }
}

fn feed_whole(sniffer: &mut Sniffer, stream: &[u8]) {
    sniffer.push(stream, Some(streams::time(0)));
}

#[test]
fn an_undeclared_coding_is_found_at_any_offset_by_its_chain_of_headers() {
    for (codec, stream) in FIXTURES {
        for lead in [0, 1, 187, 999] {
            let stream = [&SILENCE[..lead], stream].concat();
            assert_eq!(
                verdict(None, &stream),
                Verdict::Found(codec),
                "{codec:?} after {lead}"
            );
        }
    }
}

#[test]
fn fewer_headers_than_a_chain_prove_nothing() {
    for (codec, _) in FIXTURES {
        let two_frames = frames(codec)[..2].concat();
        assert_eq!(verdict(None, &two_frames), Verdict::NeedMore, "{codec:?}");
        let interrupted = [&two_frames[..], &SILENCE, &two_frames].concat();
        assert_eq!(verdict(None, &interrupted), Verdict::NeedMore, "{codec:?}");
    }
}

#[test]
fn a_chain_does_not_reach_across_a_loss() {
    let frames = frames(Codec::Ac3);
    let mut sniffer = Sniffer::new(None);
    sniffer.push(&frames[..2].concat(), None);
    sniffer.lose();
    sniffer.push(&frames[2..4].concat(), None);
    assert_eq!(sniffer.verdict(), Verdict::NeedMore);
    sniffer.push(frames[4], None);
    assert_eq!(sniffer.verdict(), Verdict::Found(Codec::Ac3));
}

#[test]
fn a_stream_without_audio_is_unknown_within_the_limit() {
    let mut sniffer = Sniffer::new(Some(Codec::MpegLayer2));
    for _ in 0..MAX_SNIFFED_BYTES / SILENCE.len() {
        sniffer.push(&SILENCE, Some(streams::time(0)));
        assert_eq!(sniffer.verdict(), Verdict::NeedMore);
    }
    sniffer.push(&SILENCE, None);
    assert_eq!(sniffer.verdict(), Verdict::Unknown);
    sniffer.push(&frames(Codec::MpegLayer2).concat(), Some(streams::time(0)));
    assert_eq!(sniffer.verdict(), Verdict::Unknown, "a verdict stays");
    assert!(sniffer.into_framer().is_none());
}

#[test]
fn the_framer_goes_on_with_every_frame_and_pts_that_the_sniffer_saw() {
    for (codec, _) in FIXTURES {
        let frames = frames(codec);
        let pieces = [
            pes(1000, &frames[..2].concat()),
            bytes(frames[2]),
            pes(2000, &frames[3..5].concat()),
            pes(3000, &frames[5..].concat()),
        ];
        for declared in [None, Some(codec)] {
            let mut sniffer = Sniffer::new(declared);
            let mut rest = pieces.iter();
            for piece in rest.by_ref() {
                match piece {
                    streams::Piece::Payload(payload, pts) => sniffer.push(payload, *pts),
                    streams::Piece::Loss => sniffer.lose(),
                }
                if sniffer.verdict() != Verdict::NeedMore {
                    break;
                }
            }
            let mut framer = sniffer.into_framer().expect("a frame was found");
            let mut units = Vec::new();
            drain(&mut framer, &mut units);
            for piece in rest {
                feed(&mut framer, piece);
                drain(&mut framer, &mut units);
            }
            framer.flush();
            drain(&mut framer, &mut units);
            assert_eq!(
                units,
                split(codec, &pieces),
                "{codec:?}, declared {declared:?}"
            );
        }
    }
}

/// Xorshift: noise that is the same in every run.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(length).collect()
}

#[test]
fn ten_megabytes_of_noise_hold_no_audio() {
    let noise = noise(0x9E37_79B9_7F4A_7C15, 10_000_000);
    for window in noise.chunks(MAX_SNIFFED_BYTES) {
        let expected = if window.len() == MAX_SNIFFED_BYTES {
            Verdict::Unknown
        } else {
            Verdict::NeedMore
        };
        assert_eq!(verdict(None, window), expected);
    }
}

proptest! {
    #[test]
    fn the_verdict_falls_at_the_same_byte_however_the_stream_is_divided(
        index in 0..FIXTURES.len(),
        declared in prop::option::of(0..FIXTURES.len()),
        lead in 0usize..600,
        seed in 1u64..,
        sizes in prop::collection::vec(1usize..300, 1..20),
    ) {
        let stream = [&noise(seed, lead), FIXTURES[index].1].concat();
        let declared = declared.map(|index| FIXTURES[index].0);
        let mut byte_by_byte = Sniffer::new(declared);
        let decided_at = stream.iter().enumerate().find_map(|(at, byte)| {
            byte_by_byte.push(&[*byte], (at == lead).then_some(streams::time(0)));
            (byte_by_byte.verdict() != Verdict::NeedMore).then_some(at + 1)
        });

        let mut sniffer = Sniffer::new(declared);
        let mut at = 0;
        let mut sizes = sizes.iter().cycle();
        while at < stream.len() {
            let part = &stream[at..stream.len().min(at + sizes.next().map_or(1, |&size| size))];
            let (before, behind) = part.split_at(lead.saturating_sub(at).min(part.len()));
            sniffer.push(before, None);
            if !behind.is_empty() {
                sniffer.push(behind, (at + before.len() == lead).then_some(streams::time(0)));
            }
            at += part.len();
            let decided = decided_at.is_some_and(|decided| at >= decided);
            let expected = if decided { byte_by_byte.verdict() } else { Verdict::NeedMore };
            prop_assert_eq!(sniffer.verdict(), expected);
        }
    }
}

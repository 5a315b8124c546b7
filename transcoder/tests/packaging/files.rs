//! What the events of a packager say, read by a parser that is not ours (`mp4-atom`).

use mp4_atom::{Atom, Decode, Ftyp, Header as BoxHeader, Mdat, Moof, Moov};
use xg2g_transcoder::mp4::{Event, Header, Packager, PackagerOptions, Part, Rendition, Segment};

/// All events of a stream, taken in pieces of the given size.
pub(crate) fn events(options: &PackagerOptions, stream: &[u8], piece: usize) -> Vec<Event> {
    let mut packager = Packager::new(options).expect("valid options");
    let mut events = Vec::new();
    for piece in stream.chunks(piece.max(1)) {
        packager.push(piece);
        events.extend(std::iter::from_fn(|| packager.next_event()));
    }
    packager.finish();
    events.extend(std::iter::from_fn(|| packager.next_event()));
    events
}

/// A sample as a file tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) dts: u64,
    pub(crate) pts: u64,
    pub(crate) duration: u64,
    pub(crate) is_sync: bool,
    pub(crate) data: Vec<u8>,
}

/// A rendition between two discontinuities.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    pub(crate) header: Header,
    pub(crate) parts: Vec<(Part, Vec<Sample>)>,
    pub(crate) segments: Vec<Segment>,
}

impl Track {
    pub(crate) fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.parts.iter().flat_map(|(_, samples)| samples)
    }

    /// Initialisation segment and parts, one behind the other.
    pub(crate) fn file(&self) -> Vec<u8> {
        let parts = self.parts.iter().flat_map(|(part, _)| &part.data);
        self.header.data.iter().chain(parts).copied().collect()
    }

    pub(crate) fn is_video(&self) -> bool {
        self.header.rendition == Rendition::Video
    }
}

/// Whether a rendition's files are MP4.
pub(crate) fn is_mp4(rendition: Rendition) -> bool {
    matches!(rendition, Rendition::Video | Rendition::Sound(_))
}

/// The tracks of events, but for subtitles, in the order of their initialisation segments. Every box is parsed,
/// and what the events say of it compared.
pub(crate) fn tracks(events: &[Event]) -> Vec<Track> {
    let mut tracks: Vec<Track> = Vec::new();
    let latest = |tracks: &mut Vec<Track>, rendition| {
        tracks
            .iter()
            .rposition(|track| track.header.rendition == rendition)
    };
    for event in events {
        match event {
            Event::Header(header) if is_mp4(header.rendition) => {
                check_header(header);
                tracks.push(Track {
                    header: header.clone(),
                    parts: Vec::new(),
                    segments: Vec::new(),
                });
            }
            Event::Part(part) if is_mp4(part.rendition) => {
                let at = latest(&mut tracks, part.rendition).expect("its header came before");
                tracks[at].parts.push((part.clone(), samples(part)));
            }
            Event::Segment(segment) => {
                if let Some(at) = latest(&mut tracks, segment.rendition) {
                    tracks[at].segments.push(*segment);
                }
            }
            _ => {}
        }
    }
    tracks
}

fn check_header(header: &Header) {
    let mut bytes = header.data.as_slice();
    Ftyp::decode(&mut bytes).expect("ftyp");
    let moov = Moov::decode(&mut bytes).expect("moov");
    assert!(bytes.is_empty(), "bytes behind moov");
    let [trak] = moov.trak.as_slice() else {
        panic!("one track");
    };
    assert_eq!(trak.mdia.mdhd.timescale, header.timescale);
    assert!(trak.edts.is_none());
}

/// The samples of a part, by its boxes.
pub(crate) fn samples(part: &Part) -> Vec<Sample> {
    let mut bytes = part.data.as_slice();
    let moof = Moof::decode(&mut bytes).expect("moof");
    let moof_bytes = part.data.len() - bytes.len();
    let header = BoxHeader::decode(&mut bytes).expect("a box");
    assert_eq!((header.kind, header.size), (Mdat::KIND, Some(bytes.len())));
    let [traf] = moof.traf.as_slice() else {
        panic!("one track");
    };
    let mut dts = traf.tfdt.as_ref().expect("tfdt").base_media_decode_time;
    assert_eq!(dts, part.decode_time);
    let [run] = traf.trun.as_slice() else {
        panic!("one run");
    };
    assert_eq!(run.data_offset, i32::try_from(moof_bytes + 8).ok());
    let mut samples = Vec::new();
    for entry in run.samples.iter() {
        let (data, rest) = bytes.split_at(entry.size.expect("size") as usize);
        bytes = rest;
        let duration = u64::from(entry.duration.expect("duration"));
        samples.push(Sample {
            dts,
            pts: dts
                .checked_add_signed(entry.cts.unwrap_or(0))
                .expect("times are positive"),
            duration,
            is_sync: entry.flags.expect("flags") & 0x1_0000 == 0,
            data: data.to_vec(),
        });
        dts += duration;
    }
    assert!(bytes.is_empty(), "bytes in mdat that are no sample's");
    assert_eq!(dts - part.decode_time, part.duration);
    assert_eq!(
        samples.first().map(|s| s.is_sync),
        Some(part.is_independent)
    );
    samples
}

/// Whether a segment begins where it does because the one before it could be no longer.
fn is_cut(options: &PackagerOptions, track: &Track, number: u64) -> bool {
    let longest = u64::from(options.longest_ms) * u64::from(track.header.timescale) / 1000;
    let before = track.segments.iter().find(|s| s.number + 1 == number);
    before.is_some_and(|s| s.duration + u64::from(track.header.timescale) > longest)
}

/// What holds for every stream: numbers, sums, and the rules for segments and parts.
pub(crate) fn check_rules(options: &PackagerOptions, events: &[Event]) -> Vec<Track> {
    let tracks = tracks(events);
    for track in &tracks {
        let timescale = u64::from(track.header.timescale);
        let target = u64::from(options.part_ms) * timescale / 1000;
        let mut parts = track.parts.iter().map(|(part, _)| part).peekable();
        let (mut number, mut index) = (track.header.segment, 0);
        let mut end = 0;
        while let Some(part) = parts.next() {
            assert!(part.segment >= number);
            if part.segment > number {
                (number, index) = (part.segment, 0);
            }
            assert_eq!(part.index, index, "{:?} {number}", part.rendition);
            assert!(
                part.index > 0 || part.is_independent || is_cut(options, track, number),
                "segments begin with sync samples"
            );
            assert!(part.decode_time >= end, "decode times go on");
            end = part.decode_time + part.duration;
            index += 1;
            let is_last = parts.peek().is_none_or(|next| next.segment > number);
            assert!(part.duration <= target, "{part:?} is longer than {target}");
            let is_followed_by_hole = parts.peek().is_some_and(|next| next.decode_time > end);
            assert!(
                is_last || is_followed_by_hole || part.duration * 100 >= target * 85,
                "{:?} {}.{} of {} is shorter than 85 % of {target}",
                part.rendition,
                part.segment,
                part.index,
                part.duration
            );
        }
        for pair in track.segments.windows(2) {
            assert_eq!(pair[0].number + 1, pair[1].number);
        }
        let longest = u64::from(options.longest_ms) * timescale / 1000;
        for segment in &track.segments {
            assert!(!track.is_video() || segment.duration <= longest);
            let parts = track
                .parts
                .iter()
                .filter(|(p, _)| p.segment == segment.number);
            let (count, sum) = parts.fold((0, 0), |(n, sum), (p, _)| (n + 1, sum + p.duration));
            assert_eq!(count, segment.parts);
            assert!(count == 0 || sum == segment.duration, "{segment:?}");
        }
    }
    tracks
}

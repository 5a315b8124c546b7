//! How the input is divided never shows.

use std::path::Path;

use proptest::prelude::*;
use xg2g_transcoder::mp4::{Event, Packager, PackagerOptions};
use xg2g_transcoder::{Options, Remuxer};

use crate::files::events;

/// What a remuxer makes of a clip of the simulated receiver.
pub(crate) fn clip(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../xg2g/simulator/clips");
    remuxed(&path.join(name).with_extension("ts"))
}

pub(crate) fn remuxed(path: &Path) -> Vec<u8> {
    let input = std::fs::read(path).expect("a stream");
    let mut remuxer = Remuxer::new(Options::default()).expect("valid options");
    let mut output = Vec::new();
    remuxer.push(&input, &mut output).expect("not finished");
    remuxer.finish(&mut output).expect("finished once");
    output
}

fn events_of_pieces(stream: &[u8], sizes: &[usize]) -> Vec<Event> {
    let mut packager = Packager::new(&PackagerOptions::default()).expect("valid options");
    let mut events = Vec::new();
    let mut rest = stream;
    for size in sizes.iter().cycle() {
        let (piece, behind) = rest.split_at((*size).min(rest.len()));
        packager.push(piece);
        // Whether events are taken at once or later does not matter either.
        if size % 2 == 0 {
            events.extend(std::iter::from_fn(|| packager.next_event()));
        }
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    packager.finish();
    events.extend(std::iter::from_fn(|| packager.next_event()));
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_gives_the_same_events(
        sizes in prop::collection::vec(1usize..5000, 1..20),
        name in prop::sample::select(vec!["six-changes", "three-latm", "four-radio", "subtitles"]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
    ) {
        let mut stream = clip(name);
        for (place, byte) in damage {
            let at = place.index(stream.len());
            stream[at] = byte;
        }
        let whole = events(&PackagerOptions::default(), &stream, stream.len());
        prop_assert!(whole.len() > 4);
        prop_assert!(events_of_pieces(&stream, &sizes) == whole);
    }
}

#[test]
fn single_bytes_give_the_same_events() {
    let stream = clip("six-changes");
    let whole = events(&PackagerOptions::default(), &stream, stream.len());
    assert!(events(&PackagerOptions::default(), &stream, 1) == whole);
}

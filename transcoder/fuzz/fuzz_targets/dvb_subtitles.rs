//! Any segments of DVB subtitles are taken without a panic and within the bound of what is held,
//! and every image is a PNG of the size that is said.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xg2g_transcoder::subtitles::dvb::DvbDecoder;
use xg2g_transcoder::subtitles::{Decoder, Shown, Span};
use xg2g_transcoder::ts::clock::Timestamp;

/// The input as PES packets: two bytes say how long the next one is, and when it is shown.
fuzz_target!(|input: &[u8]| {
    let mut decoder = DvbDecoder::new(1, 2);
    let mut rest = input;
    while let Some((&[choice, length], behind)) = rest.split_first_chunk() {
        let length = (usize::from(choice & 0x3F) << 8 | usize::from(length)).min(behind.len());
        let (segments, behind) = behind.split_at(length);
        rest = behind;
        if choice & 0x80 != 0 {
            decoder.lose();
        }
        let data = [&[0x20, 0x00], segments].concat();
        let at = Timestamp::new(u64::from(choice >> 6 & 1));
        let mut changes = Vec::new();
        decoder.push(&data, at, &mut changes);
        assert!(decoder.held_bytes() <= DvbDecoder::MAX_HELD_BYTES);
        for change in &changes {
            let screen = change.screen.as_ref();
            assert!(screen.map_or(0, DvbDecoder::screen_bytes) <= DvbDecoder::MAX_SCREEN_BYTES);
            let span = Span {
                start_90k: 0,
                end_90k: 1,
            };
            let shown = [Shown {
                from_90k: 0,
                until_90k: None,
                screen,
            }];
            assert!(!DvbDecoder::file(span, &shown).is_empty());
        }
    }
});

//! Any bytes in PES packets of teletext are decoded without a panic, within the bounds of what is
//! held and of a screen, and become a file in UTF-8.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xg2g_transcoder::subtitles::teletext::TeletextDecoder;
use xg2g_transcoder::subtitles::{Decoder, Shown, Span};
use xg2g_transcoder::ts::clock::Timestamp;

/// Codes of four bits (EN 300 706, table 11).
const HAMMING_8_4: [u8; 16] = [
    0x15, 0x02, 0x49, 0x5E, 0x64, 0x73, 0x38, 0x2F, 0xD0, 0xC7, 0x8C, 0x9B, 0xA1, 0xB6, 0xFD, 0xEA,
];

/// Packets of magazine 8 with headers of page 888: a byte says which packet, 40 are its content.
fn page(input: &[u8]) -> Vec<u8> {
    let mut data = vec![0x10];
    for chunk in input.chunks(41) {
        let number = chunk[0] & 0x1F;
        let code = |value: u8| HAMMING_8_4[usize::from(value & 0xF)];
        let mut packet = [0x20; 42];
        packet[0] = code((number & 1) << 3);
        packet[1] = code(number >> 1);
        for (byte, value) in packet[2..].iter_mut().zip(&chunk[1..]) {
            *byte = match number {
                0 => code(*value),
                1..=25 => value & 0x7F | u8::from((value & 0x7F).count_ones() % 2 == 0) << 7,
                _ => *value,
            };
        }
        if number == 0 {
            packet[2..4].fill(code(8));
        }
        data.extend([0x03, 0x2C, 0xE7, 0xE4]);
        data.extend(packet.map(u8::reverse_bits));
    }
    data
}

fuzz_target!(|input: &[u8]| {
    let Some((&choice, rest)) = input.split_first() else {
        return;
    };
    let mut decoder = TeletextDecoder::new(0x888, None);
    let mut changes = Vec::new();
    for (index, piece) in rest.chunks(usize::from(choice >> 1) * 41 + 1).enumerate() {
        let data = if choice & 1 == 0 {
            piece.to_vec()
        } else {
            page(piece)
        };
        decoder.push(&data, Timestamp::new(index as u64 * 90_000), &mut changes);
        assert!(decoder.held_bytes() <= TeletextDecoder::MAX_HELD_BYTES);
    }
    let screens = changes.iter().filter_map(|change| change.screen.as_ref());
    assert!(
        screens
            .clone()
            .all(|s| TeletextDecoder::screen_bytes(s) <= TeletextDecoder::MAX_SCREEN_BYTES)
    );
    let shown: Vec<_> = screens
        .map(|screen| Shown {
            from_90k: 0,
            until_90k: None,
            screen: Some(screen),
        })
        .collect();
    let span = Span {
        start_90k: 0,
        end_90k: 90_000,
    };
    assert!(std::str::from_utf8(&TeletextDecoder::file(span, &shown)).is_ok());
});

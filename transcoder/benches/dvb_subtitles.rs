//! What a display set of DVB subtitles costs: two lines of text on displays of 576 and 1080 lines,
//! decoded, cut, compressed.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use xg2g_transcoder::subtitles::Decoder;
use xg2g_transcoder::subtitles::dvb::DvbDecoder;
use xg2g_transcoder::ts::clock::Timestamp;

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/dvb_subtitles/written.rs"]
mod written;

use written::{MODE_CHANGE, PAGE, Region, Set, four_bit_field};

/// Strokes of letters with soft edges, in 16 colours.
fn text(width: usize, lines: usize) -> Vec<u8> {
    let rows: Vec<String> = (0..lines)
        .map(|row| {
            let pixel = |x: usize| match (x / 20 * 7 + x % 20 * (1 + row / 5)) % 29 {
                0 | 7 => '3',
                1 | 6 => '8',
                2..=5 => 'F',
                _ => '0',
            };
            (0..width).map(pixel).collect()
        })
        .collect();
    four_bit_field(&rows.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Two pages that take turns, each with two regions.
fn pages(width: u16, height: u16, display: (u16, u16)) -> Vec<Vec<u8>> {
    let page = |version: u8| {
        let field = text(usize::from(width) - 40, usize::from(height) / 2);
        let x = u16::from(version) * 2;
        let entries: Vec<_> = (1..16)
            .map(|n| (n, 0x40, [16 + n * 14, 128, 128, 0]))
            .collect();
        let region = |id: u8| Region::new(id, (width, height), 4).with(id.into(), x, 0);
        let y = display.1 - 3 * height;
        Set::new()
            .display(0, display, None)
            .page(10, version, MODE_CHANGE, &[(0, 60, y), (1, 60, y + height)])
            .region(&region(0))
            .region(&region(1))
            .clut(0, version, &entries)
            .object(0, &field, &[])
            .object(1, &field, &[])
            .end()
            .data()
    };
    vec![page(1), page(2)]
}

fn decoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dvb subtitles");
    for (name, width, height, display) in [
        ("576 lines", 600, 36, (720, 576)),
        ("1080 lines", 1600, 72, (1920, 1080)),
    ] {
        let pages = pages(width, height, display);
        let mut decoder = DvbDecoder::new(PAGE, PAGE);
        let mut changes = Vec::new();
        let mut turns = pages.iter().cycle();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                changes.clear();
                let page = turns.next().map_or(&[][..], Vec::as_slice);
                decoder.push(black_box(page), Timestamp::new(0), &mut changes);
                assert_eq!(changes.len(), 1);
            });
        });
        let sizes = changes.iter().filter_map(|change| change.screen.as_ref());
        let bytes: usize = sizes.map(DvbDecoder::screen_bytes).sum();
        assert!(bytes > 0);
    }
    group.finish();
}

criterion_group!(benches, decoding);
criterion_main!(benches);

//! Judged by ffmpeg's decoder, pixel by pixel: thousands of lines of every coding, and captures
//! of broadcasts.
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::Path;
use std::process::Command;

use xg2g_transcoder::subtitles::Decoder;
use xg2g_transcoder::subtitles::dvb::DvbDecoder;
use xg2g_transcoder::ts::clock::Timestamp;

use super::captures::capture;
use super::judges::Scratch;
use super::shown::event;
use super::transport::{PID, packets_of, stream};
use super::written::{MODE_CHANGE, NORMAL, PAGE, Region, Set, bits};

const WIDTH: usize = 720;
const HEIGHT: usize = 576;

/// What a PES packet holds, less its header.
const MAX_SET_BYTES: usize = 65_000;

/// Numbers that are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % count
    }

    fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to + 1 - from)
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.below(256) as u8)
    }

    fn code(&mut self, depth: u8) -> u8 {
        self.below(1 << depth) as u8
    }
}

/// Red, green, blue and alpha of a display's pixels.
type Display = Vec<[u8; 4]>;

/// The displays that ffmpeg shows one after the other; none where it is not installed.
fn by_ffmpeg(path: &Path, pid: u16) -> Option<Vec<Display>> {
    let output = Command::new("ffmpeg")
        // Without -compute_clut ffmpeg makes up colours where a stream defines none.
        .args(["-v", "error", "-compute_clut", "0"])
        .args(["-canvas_size", &format!("{WIDTH}x{HEIGHT}"), "-i"])
        .arg(path)
        .args([
            "-filter_complex",
            &format!("[0:i:{pid:#x}]format=rgba[shown]"),
        ])
        .args(["-map", "[shown]", "-fps_mode", "passthrough"])
        .args(["-f", "rawvideo", "-"])
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: no ffmpeg");
        return None;
    };
    let pixels: &[[u8; 4]] = output.stdout.as_chunks().0;
    let displays = pixels.chunks_exact(WIDTH * HEIGHT).map(<[_]>::to_vec);
    Some(without_repeats(displays.collect()))
}

fn without_repeats(mut displays: Vec<Display>) -> Vec<Display> {
    displays.retain(|display| display.iter().any(|pixel| pixel[3] > 0));
    displays.dedup();
    displays
}

/// The displays that our decoder shows one after the other.
fn by_us(page: u16, packets: &[(Timestamp, Vec<u8>)]) -> Vec<Display> {
    let mut decoder = DvbDecoder::new(page, page);
    let mut changes = Vec::new();
    for (at, data) in packets {
        decoder.push(data, *at, &mut changes);
    }
    let screens = changes.iter().filter_map(|change| change.screen.as_ref());
    let displays = screens.map(|screen| {
        let mut display = vec![[0; 4]; WIDTH * HEIGHT];
        for image in event(screen).images {
            let rows = image.pixels();
            for (row, y) in rows
                .chunks_exact(image.width as usize)
                .zip(image.y as usize..)
            {
                let start = y * WIDTH + image.x as usize;
                display[start..start + row.len()].copy_from_slice(row);
            }
        }
        display
    });
    without_repeats(displays.collect())
}

/// Colours may differ by a step: ffmpeg reckons with ten bits behind the point, we with sixteen.
fn assert_alike(ours: &[Display], theirs: &[Display]) {
    assert_eq!(ours.len(), theirs.len(), "displays");
    for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        for (place, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            let is_visible = ours[3] > 0 || theirs[3] > 0;
            let is_alike = ours.iter().zip(theirs).all(|(a, b)| a.abs_diff(*b) <= 1);
            let (x, y) = (place % WIDTH, place / WIDTH);
            assert!(
                is_alike && ours[3] == theirs[3] || !is_visible,
                "display {index} at {x}, {y}: {ours:?} and {theirs:?}"
            );
        }
    }
}

/// A line of pixels as a string of runs, each coded in one of the ways that there are.
fn string(dice: &mut Dice, depth: u8, width: usize) -> Vec<u8> {
    let mut codes = String::new();
    let mut rest = width;
    while rest > 0 {
        let length = match dice.below(4) {
            0 => 1,
            1 => dice.between(1, 10),
            2 => dice.between(1, 40),
            _ => dice.between(1, 300),
        };
        let length = usize::min(length, rest);
        let code = dice.code(depth);
        rest -= coded(&mut codes, depth, length, code);
    }
    codes.push_str(match depth {
        2 => "000000",
        4 => "00000000",
        _ => "0000000000000000",
    });
    let kind = 0x0F + depth.ilog2() as u8;
    [&[kind][..], &bits(&codes)].concat()
}

/// Writes pixels of a code, at most so many; returns how many.
fn coded(codes: &mut String, depth: u8, length: usize, code: u8) -> usize {
    let (text, length) = match (depth, length, code) {
        (2, 1, 0) => ("0001".to_owned(), 1),
        (2, 2, 0) => ("000001".to_owned(), 2),
        (2, 29.., _) => {
            let length = length.min(284);
            (format!("000011{:08b}{code:02b}", length - 29), length)
        }
        (2, 12..=27, _) => (format!("000010{:04b}{code:02b}", length - 12), length),
        (2, 3.., _) => {
            let length = length.min(10);
            (format!("001{:03b}{code:02b}", length - 3), length)
        }
        (2, _, 1..) => (format!("{code:02b}"), 1),
        (4, 1, 0) => ("00001100".to_owned(), 1),
        (4, 2, 0) => ("00001101".to_owned(), 2),
        (4, 3..=8, 0) => (format!("00000{:03b}", length - 2), length),
        (4, 25.., _) => {
            let length = length.min(280);
            (format!("00001111{:08b}{code:04b}", length - 25), length)
        }
        (4, 9.., _) => (
            format!("00001110{:04b}{code:04b}", length.min(24) - 9),
            length.min(24),
        ),
        (4, 4..=7, _) => (format!("000010{:02b}{code:04b}", length - 4), length),
        (4, 8, _) => (format!("00001011{code:04b}"), 7),
        (4, _, _) => (format!("{code:04b}"), 1),
        (8, _, 0) => (format!("000000000{:07b}", length.min(127)), length.min(127)),
        (8, 3.., _) => {
            let length = length.min(127);
            (format!("000000001{length:07b}{code:08b}"), length)
        }
        _ => (format!("{code:08b}"), 1),
    };
    codes.push_str(&text);
    length
}

/// A display set of any regions, colours and pixels that the standard allows.
fn any_set(dice: &mut Dice, version: u8) -> Vec<u8> {
    let window = dice.below(20) as u16;
    let (mut regions, mut objects, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for id in 0..dice.between(1, 3) as u8 {
        let depth = [2, 4, 8][dice.below(3)];
        let (width, height) = (dice.between(8, 600), dice.between(2, 90));
        let (x, y) = (dice.below(100), usize::from(id) * 180 + dice.below(80));
        places.push((id, x as u16, y as u16));
        let (x, y) = (dice.below(width - 1), dice.below(height));
        let region = Region::new(id, (width as u16, height as u16), depth);
        regions.push(Region {
            clut: id,
            background: dice.code(depth),
            ..region.with(id.into(), x as u16, y as u16)
        });
        let [top, bottom] = [(); 2].map(|()| field(dice, depth, width - x, (height - y) / 2));
        objects.push((id.into(), top, bottom));
    }
    let window = [window, WIDTH as u16 - 1, window, HEIGHT as u16 - 1];
    let size = (WIDTH as u16, HEIGHT as u16);
    let mut set = Set::new().display(version, size, Some(window));
    set = set.page(5, version, MODE_CHANGE, &places);
    for region in &regions {
        set = set.region(region);
        let mut entries = Vec::new();
        for _ in 0..dice.below(300) {
            let (table, bits) = [(0x80, 2), (0x40, 4), (0x20, 8)][dice.below(3)];
            entries.push((dice.code(bits), table, dice.bytes()));
        }
        if dice.below(4) > 0 {
            set = set.clut(region.id, version, &entries);
        }
    }
    for (id, top, bottom) in &objects {
        set = set.object(*id, top, bottom);
    }
    set.end().data()
}

/// A field of any lines, in codes of the region's bits or of fewer.
fn field(dice: &mut Dice, depth: u8, width: usize, lines: usize) -> Vec<u8> {
    let mut field = Vec::new();
    if dice.below(3) == 0 {
        field.push(0x20);
        field.extend(dice.bytes::<2>());
        field.push(0x21);
        field.extend(dice.bytes::<4>());
        field.push(0x22);
        field.extend(dice.bytes::<16>());
    }
    for _ in 0..lines {
        let bits = [2, 4, 8][dice.below(depth.ilog2() as usize)];
        // ffmpeg ends the object behind a string of 8 bits that ends with its region.
        let width = dice.between(1, width - usize::from(bits == 8));
        field.extend(string(dice, bits, width));
        field.push(0xF0);
    }
    field
}

/// Both decoders show these packets alike; returns how many displays, none without ffmpeg.
fn assert_judged(page: u16, packets: &[(Timestamp, Vec<u8>)]) -> Option<usize> {
    // ffmpeg gives a display when the next one comes.
    let end = packets.last().expect("packets").0.offset(90_000);
    let clear = Set::new().of_page(page).page(5, 15, NORMAL, &[]).end();
    let packets = [packets, &[(end, clear.data())]].concat();
    let file = Scratch::new("subtitles.ts", &stream(&packets));
    let theirs = by_ffmpeg(file.path(), PID)?;
    assert_alike(&by_us(page, &packets), &theirs);
    Some(theirs.len())
}

#[test]
fn ffmpeg_shows_the_same_pixels_of_any_display_sets() {
    let mut dice = Dice(0x5EED_0F5E_7700_0001);
    let mut packets = Vec::new();
    while packets.len() < 60 {
        let version = packets.len() as u8 & 0xF;
        let set = any_set(&mut dice, version);
        if set.len() < MAX_SET_BYTES {
            let at = Timestamp::new((10 + packets.len() as u64) * 90_000);
            packets.push((at, set));
        }
    }
    let count = assert_judged(PAGE, &packets);
    assert!(count.is_none_or(|count| count > 50), "{count:?}");
}

#[test]
fn ffmpeg_shows_the_same_pixels_of_captures() {
    // The pages are those of their subtitling descriptors.
    for (name, pid, page, displays) in [
        ("dvbsub-rs204.ts", 0x101, 1, 2),
        ("tnt-fr-2prog-ac3-dvbsub.ts", 0xF3, 3, 1),
    ] {
        let Some(path) = capture(name) else {
            continue;
        };
        let packets = packets_of(&std::fs::read(&path).expect("a file"), pid);
        let count = assert_judged(page, &packets);
        assert!(
            count.is_none_or(|count| count == displays),
            "{name}: {count:?}"
        );
    }
}

//! What packaging a channel costs: a second of 10 Mbit/s, its pictures and two sounds; and the
//! same with teletext as broadcasters send it, all pages and two of subtitles among them.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use xg2g_transcoder::mp4::{Packager, PackagerOptions};

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/packaging/synthetic.rs"]
mod synthetic;
#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/teletext/written.rs"]
mod written;

use synthetic::{FRAME, Kind, SOUND, Shape, Stream, VIDEO};

/// What a receiver's read of a full socket brings.
const CHUNK_BYTES: usize = 188 * 1024;

const SECONDS: u64 = 10;
const SECOND_SOUND: u16 = SOUND + 1;
const TELETEXT: u16 = SOUND + 2;

/// Packets of teletext in a picture's time: as many as lines of both fields hold.
const TELETEXT_LINES: usize = 31;

/// Pictures of 25 a second, a group of pictures a second, two sounds.
fn channel(has_teletext: bool) -> Vec<u8> {
    let mut stream = Stream::new();
    stream.slice_bytes = 48_000;
    let tables: [(u8, u16, &[u8]); 4] = [
        (0x1B, VIDEO, &[]),
        (0x0F, SOUND, b"\x0A\x04deu\0"),
        (0x0F, SECOND_SOUND, b"\x0A\x04eng\0"),
        (0x06, TELETEXT, b"\x56\x0Ager\x10\x88ger\x28\x89"),
    ];
    stream.tables(&tables[..if has_teletext { 4 } else { 3 }]);
    let mut heard = 0;
    for n in 0..SECONDS * 25 {
        let dts = n * FRAME;
        let kind = if n % 25 == 0 { Kind::Idr } else { Kind::P };
        stream.picture(kind, Shape::Frame, Some((dts + FRAME, dts)));
        if has_teletext {
            let pes = written::pes(Some(dts), &written::data(&teletext(n)));
            stream.unit(TELETEXT, &pes);
        }
        while heard < dts + FRAME {
            stream.sound(heard);
            stream.sound_on(SECOND_SOUND, heard);
            heard += 1920;
        }
    }
    stream.bytes
}

/// Rows of other pages, and every two seconds subtitles of two lines on both pages.
fn teletext(picture: u64) -> Vec<written::Packet> {
    use written::{ERASE, SERIAL, SUBTITLE, boxed, header, row};
    let mut packets = Vec::new();
    if picture.is_multiple_of(50) {
        for page in [0x888, 0x889] {
            packets.push(header(page, ERASE | SUBTITLE | SERIAL));
            packets.push(boxed(0, 20, 6, b"\x0D\x03The first line of a subtitle"));
            packets.push(boxed(0, 22, 6, b"\x0D\x03and another one below it"));
        }
    }
    packets.push(header(0x100 + picture as u16 % 0x50, SERIAL));
    let rows = (1..).map(|number| row(1, number % 24, b"Some text of a page that nobody looks at"));
    packets.extend(rows.take(TELETEXT_LINES - packets.len()));
    packets
}

fn package(stream: &[u8]) -> usize {
    let mut packager = Packager::new(&PackagerOptions::default()).expect("valid options");
    let mut events = 0;
    for chunk in stream.chunks(CHUNK_BYTES) {
        packager.push(chunk);
        while let Some(event) = packager.next_event() {
            black_box(event);
            events += 1;
        }
    }
    events
}

fn packaging(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("package");
    for (name, has_teletext) in [
        ("10 s of 10 Mbit/s", false),
        ("10 s of 10 Mbit/s with teletext", true),
    ] {
        let stream = channel(has_teletext);
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| package(black_box(&stream)));
        });
    }
    group.finish();
}

criterion_group!(benches, packaging);
criterion_main!(benches);

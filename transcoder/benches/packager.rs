//! What packaging a channel costs: a second of 10 Mbit/s, its pictures and two sounds.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use xg2g_transcoder::mp4::{Packager, PackagerOptions};

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/packaging/synthetic.rs"]
mod synthetic;

use synthetic::{FRAME, Kind, SOUND, Shape, Stream, VIDEO};

/// What a receiver's read of a full socket brings.
const CHUNK_BYTES: usize = 188 * 1024;

const SECONDS: u64 = 10;
const SECOND_SOUND: u16 = SOUND + 1;

/// Pictures of 25 a second, a group of pictures a second, two sounds.
fn channel() -> Vec<u8> {
    let mut stream = Stream::new();
    stream.slice_bytes = 48_000;
    stream.tables(&[
        (0x1B, VIDEO, &[]),
        (0x0F, SOUND, b"\x0A\x04deu\0"),
        (0x0F, SECOND_SOUND, b"\x0A\x04eng\0"),
    ]);
    let mut heard = 0;
    for n in 0..SECONDS * 25 {
        let dts = n * FRAME;
        let kind = if n % 25 == 0 { Kind::Idr } else { Kind::P };
        stream.picture(kind, Shape::Frame, Some((dts + FRAME, dts)));
        while heard < dts + FRAME {
            stream.sound(heard);
            stream.sound_on(SECOND_SOUND, heard);
            heard += 1920;
        }
    }
    stream.bytes
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
    let stream = channel();
    let mut group = criterion.benchmark_group("package");
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.bench_function("10 s of 10 Mbit/s", |bencher| {
        bencher.iter(|| package(black_box(&stream)));
    });
    group.finish();
}

criterion_group!(benches, packaging);
criterion_main!(benches);

//! What the parts of the remuxer cost, one by one; `cargo bench`. What a stream costs as
//! a whole, beside ffmpeg, is for `make bench` to say.
//!
//! The streams are those of the simulated receiver.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use xg2g_transcoder::audio::Codec;
use xg2g_transcoder::ts::packet::{PACKET_BYTES, Packet};
use xg2g_transcoder::ts::psi::{self, Pmt, SectionAssembler};
use xg2g_transcoder::ts::sync::Synchroniser;
use xg2g_transcoder::{Options, Remuxer, Stats};

/// What a receiver's read of a full socket brings.
const CHUNK_BYTES: usize = 188 * 1024;

/// Codings, and clips of the simulated receiver with a track of each.
const CODECS: [(Codec, &str); 4] = [
    (Codec::MpegLayer2, "one-hd"),
    (Codec::Ac3, "one-hd"),
    (Codec::Eac3, "two-hd"),
    (Codec::AacLatm, "three-latm"),
];

fn clip(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../xg2g/simulator/clips");
    fs::read(path.join(name).with_extension("ts")).expect("the clips are in the repository")
}

/// The clip with one track of the coding; its other tracks are silent.
fn clip_with(codec: Codec, name: &str) -> Vec<u8> {
    let stream = clip(name);
    let tracks = remux(&stream, &mut Vec::new()).tracks;
    let kept = tracks.iter().find(|track| track.codec == Some(codec));
    let kept = kept.expect("the clip has such a track").pid;
    let is_silent = |pid| pid != kept && tracks.iter().any(|track| track.pid == pid);
    let packets = stream.chunks_exact(PACKET_BYTES);
    packets
        .filter(|bytes| {
            let packet = bytes.first_chunk().map(Packet::new);
            packet.is_some_and(|packet| !is_silent(packet.pid().value()))
        })
        .flatten()
        .copied()
        .collect()
}

fn remux(stream: &[u8], output: &mut Vec<u8>) -> Stats {
    let mut remuxer = Remuxer::new(Options::default()).expect("valid options");
    output.clear();
    for chunk in stream.chunks(CHUNK_BYTES) {
        remuxer.push(chunk, output).expect("not finished");
    }
    remuxer.finish(output).expect("finished once");
    remuxer.stats()
}

/// One track is converted, and everything else passes.
fn push(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("push");
    for (codec, name) in CODECS {
        let stream = clip_with(codec, name);
        let mut output = Vec::new();
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.bench_function(format!("{codec:?}"), |bencher| {
            bencher.iter(|| remux(black_box(&stream), &mut output));
        });
    }
    group.finish();
}

/// What was converted before is converted again: there is nothing left to do.
fn passthrough(criterion: &mut Criterion) {
    let (mut stream, mut output) = (Vec::new(), Vec::new());
    remux(&clip("one-hd"), &mut stream);
    let mut group = criterion.benchmark_group("passthrough");
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.bench_function("aac", |bencher| {
        bencher.iter(|| remux(black_box(&stream), &mut output));
    });
    group.finish();
}

fn packet_sync(criterion: &mut Criterion) {
    let stream = clip("one-hd");
    let mut group = criterion.benchmark_group("packet sync");
    group.throughput(Throughput::Bytes(stream.len() as u64));
    for (name, bytes) in [("chunks", CHUNK_BYTES), ("odd pieces", 1_317)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut sync = Synchroniser::default();
                let mut packets = 0;
                for piece in black_box(&stream).chunks(bytes) {
                    sync.push(piece, |packet| {
                        packets += usize::from(black_box(packet)[0] > 0)
                    });
                }
                packets
            });
        });
    }
    group.finish();
}

/// A PMT is read from its packets and written anew.
fn pmt(criterion: &mut Criterion) {
    let stream = clip("one-hd");
    let packets: Vec<&[u8; PACKET_BYTES]> = stream
        .chunks_exact(PACKET_BYTES)
        .filter_map(|bytes| bytes.first_chunk())
        .collect();
    let mut pat = SectionAssembler::default();
    let mut pmt_pid = None;
    for packet in packets.iter().copied().map(Packet::new) {
        if packet.pid().value() == 0 && pmt_pid.is_none() {
            pat.push(packet.payload(), packet.unit_start(), |section| {
                let content = psi::check(section).map_or(&[][..], |(_, content)| content);
                pmt_pid = psi::programs(content).next().map(|(_, pid)| pid);
            });
        }
    }
    let carriers: Vec<Packet<'_>> = packets
        .iter()
        .copied()
        .map(Packet::new)
        .filter(|packet| Some(packet.pid()) == pmt_pid)
        .collect();
    assert!(!carriers.is_empty(), "the clip has a PMT");
    criterion.bench_function("PMT read and written", |bencher| {
        bencher.iter(|| {
            let mut assembler = SectionAssembler::default();
            let mut written = 0;
            for packet in black_box(&carriers) {
                assembler.push(packet.payload(), packet.unit_start(), |section| {
                    let read = psi::check(section)
                        .and_then(|(header, content)| Some((header, Pmt::parse(content)?)));
                    if let Some((header, pmt)) = read {
                        let section = psi::write_section(header, &pmt.content());
                        written += section.map_or(0, |section| section.len());
                    }
                });
            }
            written
        });
    });
}

criterion_group!(benches, push, passthrough, packet_sync, pmt);
criterion_main!(benches);

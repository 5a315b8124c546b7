//! Any division of the same elementary stream gives the same access units, each of
//! them bytes of the stream between two losses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xg2g_transcoder::audio::Codec;
use xg2g_transcoder::audio::{access_unit::Lost, framer::Framer};
use xg2g_transcoder::ts::clock::Timestamp;
use xg2g_transcoder_fuzz::{part_sizes, parts};

const CODECS: [Codec; 5] = [
    Codec::MpegLayer2,
    Codec::Eac3,
    Codec::AacAdts,
    Codec::AacLatm,
    Codec::Dts,
];

type Unit = (Vec<u8>, Codec, Option<Timestamp>, bool);

fn drain(framer: &mut Framer, units: &mut Vec<Unit>) {
    while let Some(unit) = framer.next_unit() {
        units.push((unit.data.to_vec(), unit.codec, unit.pts, unit.after_loss));
    }
}

/// Units of runs of PES packets; bytes are missing between the runs.
fn split(codec: Codec, runs: &[&[u8]], pes_bytes: usize, sizes: [u8; 2]) -> Vec<Unit> {
    let mut framer = Framer::new(codec);
    let mut units = Vec::new();
    for run in runs {
        for (index, pes) in run.chunks(pes_bytes).enumerate() {
            let mut pts = Some(Timestamp::new(index as u64 * 90));
            for part in parts(pes, part_sizes(sizes)) {
                framer.push(part, pts.take());
                drain(&mut framer, &mut units);
            }
        }
        framer.lose(Lost { packets: Some(1) });
    }
    drain(&mut framer, &mut units);
    units
}

fuzz_target!(|input: &[u8]| {
    let Some((&[codec, pes, loss, a, b], stream)) = input.split_first_chunk() else {
        return;
    };
    let codec = CODECS[usize::from(codec) % CODECS.len()];
    let runs = stream.split_at(stream.len() * usize::from(loss) / 255);
    let runs = [runs.0, runs.1];
    let pes_bytes = usize::from(pes) * 13 + 1;
    let whole = split(codec, &runs, pes_bytes, [255, 255]);
    for (unit, ..) in &whole {
        let is_in = |run: &[u8]| run.windows(unit.len()).any(|window| window == unit);
        assert!(runs.into_iter().any(is_in));
    }
    assert_eq!(split(codec, &runs, pes_bytes, [a, b]), whole);
    assert_eq!(split(codec, &runs, pes_bytes, [0, 0]), whole);
});

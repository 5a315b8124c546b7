//! Any bytes behind any tables are taken without a panic, within the bound of the output,
//! and any division of the input gives the same output.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xg2g_transcoder::ts::clock::Timestamp;
use xg2g_transcoder::ts::video::VideoCodec;
use xg2g_transcoder::{Joiner, Point, PointKind};
use xg2g_transcoder_fuzz::{part_sizes, parts};

const PACKET_BYTES: usize = 188;

fn join(
    point: &Point,
    after_gap: bool,
    stream: &[u8],
    sizes: impl Iterator<Item = usize>,
) -> Vec<u8> {
    let mut joiner = Joiner::new(point, after_gap);
    let mut output = Vec::new();
    for part in parts(stream, sizes) {
        let bound = output.len() + joiner.output_bound(part.len());
        joiner.push(part, &mut output);
        assert!(output.len() <= bound);
    }
    output
}

fuzz_target!(|input: &[u8]| {
    let Some((&[choice, a, b, pts], rest)) = input.split_first_chunk() else {
        return;
    };
    let tables_len = usize::from(choice >> 4) * PACKET_BYTES;
    let (tables, stream) = rest.split_at(tables_len.min(rest.len()));
    let point = Point {
        offset: 0,
        kind: PointKind::RandomAccess {
            codec: VideoCodec::H264,
            is_open: choice & 1 != 0,
            tables: tables.to_vec(),
        },
        pts: (choice & 2 != 0).then(|| Timestamp::new(u64::from(pts) << 16)),
        program: 1,
    };
    let after_gap = choice & 4 != 0;
    let whole = join(&point, after_gap, stream, std::iter::once(stream.len()));
    assert!(join(&point, after_gap, stream, part_sizes([a, b])) == whole);
});

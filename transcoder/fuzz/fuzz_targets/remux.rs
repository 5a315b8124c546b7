//! Any bytes are taken without a panic or an error, whole packets come out, and
//! any division of the input gives the same output.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xg2g_transcoder::{Options, Remuxer};
use xg2g_transcoder_fuzz::{part_sizes, parts};

const PACKET_BYTES: usize = 188;

fn remux(options: &Options, stream: &[u8], sizes: impl Iterator<Item = usize>) -> Vec<u8> {
    let mut remuxer = Remuxer::new(options.clone()).expect("valid options");
    let mut output = Vec::new();
    for part in parts(stream, sizes) {
        remuxer
            .push(part, &mut output)
            .expect("stream content is no error");
    }
    remuxer
        .finish(&mut output)
        .expect("finishing once is no error");
    output
}

fuzz_target!(|input: &[u8]| {
    let Some((&[choice, a, b], stream)) = input.split_first_chunk() else {
        return;
    };
    let options = Options {
        channels: [2, 0, 1, 6][usize::from(choice & 3)],
        keep_original: choice & 4 != 0,
        program: u16::from(choice & 8 != 0),
        generation: u32::from(choice >> 4),
        ..Options::default()
    };
    let whole = remux(&options, stream, std::iter::once(stream.len()));
    assert_eq!(whole.len() % PACKET_BYTES, 0);
    assert!(remux(&options, stream, part_sizes([a, b])) == whole);
});

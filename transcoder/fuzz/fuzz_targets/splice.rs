//! Any bytes are taken without a panic, and what a new remuxer is given is made of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xg2g_transcoder::splice::{first_packet, lead, lead_after_gap, video_alone};

fuzz_target!(|input: &[u8]| {
    let Some((&[program, cut], stream)) = input.split_first_chunk() else {
        return;
    };
    let program = u16::from(program & 3);
    let (past, body) = stream.split_at(stream.len() * usize::from(cut) / 255);
    let (given, tables) = (lead(past, program), lead_after_gap(past, program));
    assert!(given.len() <= past.len() && given.starts_with(&tables));
    assert!(past.ends_with(&given[tables.len()..]));
    assert!(first_packet(past) <= past.len());
    if let Some(kept) = video_alone(past, body, program) {
        assert_eq!(kept.body.len(), body.len());
        assert!(kept.given_up_bytes <= body.len());
    }
});

#![no_main]

use libfuzzer_sys::fuzz_target;
use xg2g_transcoder::audio::Family;

fuzz_target!(|bytes: &[u8]| xg2g_transcoder_fuzz::check_header(Family::MpegAudio, bytes));

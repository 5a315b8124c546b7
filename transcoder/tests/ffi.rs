//! What the header promises to callers, tried from their side of the ABI. The
//! streams hold no audio, so that miri can run this: it cannot call into C.
#![expect(unsafe_code, reason = "this calls a C ABI")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{mem, ptr, slice, thread};

use xg2g_transcoder::ErrorKind::{
    Busy, Finished, Internal, InvalidArgument, OutputTooSmall, Poisoned,
};
use xg2g_transcoder::ffi::test_hooks::{
    xg2g_test_held, xg2g_test_hold, xg2g_test_panic, xg2g_test_release,
};
use xg2g_transcoder::ffi::*;
use xg2g_transcoder::ts::{packet, psi};
use xg2g_transcoder::{ErrorKind, Options, Remuxer};

const PACKET_BYTES: usize = 188;

/// Null packets, numbered so that no two are alike.
fn packets(numbers: std::ops::Range<u32>) -> Vec<u8> {
    numbers
        .flat_map(|number| {
            let mut packet = [0xFF; PACKET_BYTES];
            packet[..4].copy_from_slice(&[0x47, 0x1F, 0xFF, 0x10]);
            packet[4..8].copy_from_slice(&number.to_be_bytes());
            packet
        })
        .collect()
}

/// A stream's handle, as C code would hold it: any thread may use it.
#[derive(Clone, Copy)]
struct Handle(*mut c_void);

// SAFETY: by the header a handle may be used by every thread.
unsafe impl Send for Handle {}
// SAFETY: and by several at the same time.
unsafe impl Sync for Handle {}

impl Handle {
    fn open() -> Self {
        let handle = xg2g_audio_remux_init(0, 2, 192_000);
        assert!(!handle.is_null());
        Self(handle)
    }

    fn process(self, input: &[u8], capacity: usize) -> Result<Vec<u8>, c_int> {
        let mut output = vec![0xAA; capacity];
        // SAFETY: both buffers have the lengths given.
        let count = unsafe {
            xg2g_audio_remux_process(
                self.0,
                input.as_ptr(),
                input.len(),
                output.as_mut_ptr(),
                capacity,
            )
        };
        written(count, output)
    }

    fn finish(self, capacity: usize) -> Result<Vec<u8>, c_int> {
        let mut output = vec![0xAA; capacity];
        // SAFETY: the buffer has the length given.
        let count = unsafe { xg2g_audio_remux_finish(self.0, output.as_mut_ptr(), capacity) };
        written(count, output)
    }

    fn process_view(self, input: &[u8]) -> Result<Vec<u8>, c_int> {
        let (mut output, mut len) = (ptr::null(), 0);
        // SAFETY: the input has the length given; both results can be written.
        let code = unsafe {
            let (input, output) = (input, &raw mut output);
            xg2g_audio_remux_process_view(self.0, input.as_ptr(), input.len(), output, &raw mut len)
        };
        if code < 0 {
            assert!(output.is_null());
            return Err(code);
        }
        // SAFETY: lent until the next call on this handle.
        Ok(unsafe { slice::from_raw_parts(output, len) }.to_vec())
    }

    fn capacity_for(self, input: &[u8]) -> usize {
        xg2g_audio_remux_output_capacity(self.0, input.len())
    }

    fn last_error(self) -> String {
        text(|target, capacity| {
            // SAFETY: the target has that capacity.
            unsafe { xg2g_audio_remux_last_error(self.0, target, capacity) }
        })
    }

    fn stats(self) -> serde_json::Value {
        let json = text(|target, capacity| {
            // SAFETY: the target has that capacity.
            unsafe { xg2g_audio_remux_stats(self.0, target, capacity) }
        });
        serde_json::from_str(&json).expect("stats are JSON")
    }

    fn free(self) {
        xg2g_audio_remux_free(self.0);
    }
}

fn written(count: c_int, mut output: Vec<u8>) -> Result<Vec<u8>, c_int> {
    let Ok(count) = usize::try_from(count) else {
        assert!(
            output.iter().all(|byte| *byte == 0xAA),
            "written on an error"
        );
        return Err(count);
    };
    output.truncate(count);
    Ok(output)
}

/// Asks for the length, then for the text.
fn text(write: impl Fn(*mut c_char, usize) -> c_int) -> String {
    let len = usize::try_from(write(ptr::null_mut(), 0)).expect("a length");
    let mut buffer = vec![0_u8; len + 1];
    assert_eq!(write(buffer.as_mut_ptr().cast(), len + 1), len as c_int);
    CStr::from_bytes_with_nul(&buffer)
        .expect("one NUL, at the end")
        .to_str()
        .expect("UTF-8")
        .to_owned()
}

/// What the remuxer makes of these inputs when nothing stands in between.
fn expected(inputs: &[&[u8]]) -> Vec<u8> {
    let mut remuxer = Remuxer::new(Options::default()).expect("default options");
    let mut output = Vec::new();
    for input in inputs {
        remuxer.push(input, &mut output).expect("push");
    }
    remuxer.finish(&mut output).expect("finish");
    output
}

fn code(kind: ErrorKind) -> Result<Vec<u8>, c_int> {
    Err(kind as c_int)
}

/// Calls are held by one gate for the whole process: one test at a time uses it.
fn gate() -> MutexGuard<'static, ()> {
    static GATE: Mutex<()> = Mutex::new(());
    GATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait_until_held(calls: u32) {
    while xg2g_test_held() != calls {
        thread::yield_now();
    }
}

#[test]
fn an_output_that_was_too_large_comes_once_when_the_same_input_is_offered_again() {
    let (first, second) = (packets(0..8), packets(8..16));
    let handle = Handle::open();
    let mut output = Vec::new();
    for input in [&first, &second] {
        assert_eq!(handle.process(input, 0), code(OutputTooSmall));
        assert_eq!(handle.process(input, 1), code(OutputTooSmall));
        let capacity = handle.capacity_for(input);
        output.extend(handle.process(input, capacity).expect("enough room"));
    }
    output.extend(handle.finish(1 << 16).expect("enough room"));
    assert_eq!(output, expected(&[&first, &second]));
    assert_eq!(handle.stats()["bytes_in"], first.len() + second.len());
    handle.free();
}

#[test]
fn an_output_that_was_too_large_comes_before_that_of_other_input() {
    let (first, second) = (packets(0..8), packets(8..16));
    let handle = Handle::open();
    assert_eq!(handle.process(&first, 0), code(OutputTooSmall));
    let mut output = handle.process(&second, 1 << 16).expect("enough room");
    output.extend(handle.finish(1 << 16).expect("enough room"));
    assert_eq!(output, expected(&[&first, &second]));
    handle.free();
}

#[test]
fn other_input_is_not_taken_while_the_kept_output_has_no_room() {
    let (first, second) = (packets(0..8), packets(8..16));
    let handle = Handle::open();
    assert_eq!(handle.process(&first, 0), code(OutputTooSmall));
    assert_eq!(handle.process(&second, 0), code(OutputTooSmall));
    assert_eq!(handle.stats()["bytes_in"], first.len());
    let mut output = handle.process(&second, 1 << 16).expect("enough room");
    output.extend(handle.finish(1 << 16).expect("enough room"));
    assert_eq!(output, expected(&[&first, &second]));
    handle.free();
}

#[test]
fn finish_brings_what_was_kept() {
    let input = packets(0..8);
    let handle = Handle::open();
    assert_eq!(handle.process(&input, 0), code(OutputTooSmall));
    assert_eq!(handle.finish(0), code(OutputTooSmall));
    assert_eq!(handle.finish(1 << 16).as_deref(), Ok(&*expected(&[&input])));
    assert_eq!(handle.finish(0).as_deref(), Ok(&[][..]));
    assert_eq!(handle.process(&input, 1 << 16), code(Finished));
    assert!(handle.last_error().contains("finish"));
    handle.free();
}

#[test]
fn equal_inputs_are_two_inputs_when_nothing_was_kept() {
    let input = packets(0..8);
    let handle = Handle::open();
    let mut output = handle.process(&input, 1 << 16).expect("enough room");
    output.extend(handle.process(&input, 1 << 16).expect("enough room"));
    output.extend(handle.finish(1 << 16).expect("enough room"));
    assert_eq!(output, expected(&[&input, &input]));
    handle.free();
}

#[test]
fn nothing_is_lost_or_doubled_whatever_the_splits_and_the_capacities() {
    let input = packets(0..64);
    let wanted = expected(&[&input]);
    let mut random = 1_u32;
    let mut below = |limit: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % limit
    };
    for _ in 0..if cfg!(miri) { 2 } else { 200 } {
        let handle = Handle::open();
        let (mut rest, mut output) = (&input[..], Vec::new());
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(rest.len().min(1 + below(3 * PACKET_BYTES)));
            rest = after;
            let mut capacity = below(4 * PACKET_BYTES);
            loop {
                match handle.process(chunk, capacity) {
                    Ok(ready) => break output.extend(ready),
                    Err(error) => assert_eq!(error, OutputTooSmall as c_int),
                }
                capacity += below(2 * PACKET_BYTES);
            }
            output.extend(handle.process_view(&[]).expect("a view"));
        }
        output.extend(handle.finish(1 << 16).expect("enough room"));
        assert_eq!(output, wanted);
        handle.free();
    }
}

#[test]
fn a_view_holds_the_output_and_what_was_kept_before() {
    let (first, second) = (packets(0..8), packets(8..16));
    let handle = Handle::open();
    assert_eq!(handle.process(&first, 0), code(OutputTooSmall));
    let mut output = handle.process_view(&second).expect("a view");
    let (mut rest, mut len) = (ptr::null(), 0);
    for _ in 0..2 {
        // SAFETY: both results can be written, and what is lent is copied at once.
        output.extend(unsafe {
            assert_eq!(
                xg2g_audio_remux_finish_view(handle.0, &raw mut rest, &raw mut len),
                0
            );
            slice::from_raw_parts(rest, len)
        });
    }
    assert_eq!(output, expected(&[&first, &second]));
    handle.free();
}

#[test]
fn a_second_call_on_a_handle_is_refused_and_disturbs_nothing() {
    let _gate = gate();
    let (first, second) = (packets(0..8), packets(8..16));
    let handle = Handle::open();
    assert_eq!(xg2g_test_hold(handle.0), 0);
    let mut output = thread::scope(|scope| {
        let inside = scope.spawn(|| handle.process(&first, 1 << 16));
        wait_until_held(1);
        assert_eq!(handle.process(&second, 1 << 16), code(Busy));
        assert_eq!(handle.finish(1 << 16), code(Busy));
        assert_eq!(handle.capacity_for(&second), 0);
        assert_eq!(handle.last_error(), "");
        xg2g_test_release();
        inside.join().expect("no panic").expect("enough room")
    });
    output.extend(handle.process(&second, 1 << 16).expect("enough room"));
    output.extend(handle.finish(1 << 16).expect("enough room"));
    assert_eq!(output, expected(&[&first, &second]));
    handle.free();
}

#[test]
fn a_free_during_a_call_lets_it_complete() {
    let _gate = gate();
    let input = packets(0..8);
    let handle = Handle::open();
    assert_eq!(xg2g_test_hold(handle.0), 0);
    thread::scope(|scope| {
        let inside = scope.spawn(|| handle.process(&input, 1 << 16));
        wait_until_held(1);
        handle.free();
        assert_eq!(handle.process(&input, 1 << 16), code(InvalidArgument));
        xg2g_test_release();
        inside.join().expect("no panic").expect("it completes");
    });
    assert_eq!(handle.process(&input, 1 << 16), code(InvalidArgument));
    handle.free();
}

#[test]
fn two_handles_serve_two_threads_at_the_same_time() {
    let _gate = gate();
    let input = packets(0..8);
    let handles = [Handle::open(), Handle::open()];
    thread::scope(|scope| {
        for handle in handles {
            assert_eq!(xg2g_test_hold(handle.0), 0);
            let input = &input;
            scope.spawn(move || handle.process(input, 1 << 16).expect("enough room"));
        }
        wait_until_held(2);
        xg2g_test_release();
    });
    for handle in handles {
        handle.free();
    }
}

#[test]
fn a_panic_becomes_an_error_and_ends_only_its_own_handle() {
    let input = packets(0..8);
    let (broken, sound) = (Handle::open(), Handle::open());
    assert_eq!(xg2g_test_panic(broken.0), 0);
    assert_eq!(broken.process(&input, 1 << 16), code(Internal));
    assert!(broken.last_error().contains("deliberate panic"));
    assert_eq!(broken.process(&input, 1 << 16), code(Poisoned));
    assert_eq!(broken.finish(1 << 16), code(Poisoned));
    assert!(broken.last_error().contains("deliberate panic"));
    broken.free();
    assert!(sound.process(&input, 1 << 16).is_ok());
    sound.free();
}

#[test]
fn a_handle_that_is_none_is_an_error_and_freeing_it_is_fine() {
    let freed = Handle::open();
    freed.free();
    let never = Handle(ptr::without_provenance_mut(usize::MAX));
    for none in [Handle(ptr::null_mut()), never, freed] {
        assert_eq!(none.process(&[0x47], 100), code(InvalidArgument));
        assert_eq!(none.process_view(&[0x47]), code(InvalidArgument));
        assert_eq!(none.finish(100), code(InvalidArgument));
        assert_eq!(none.capacity_for(&[]), 0);
        // SAFETY: NULL with the capacity 0 is allowed.
        let (stats, error) = unsafe {
            (
                xg2g_audio_remux_stats(none.0, ptr::null_mut(), 0),
                xg2g_audio_remux_last_error(none.0, ptr::null_mut(), 0),
            )
        };
        assert_eq!([stats, error], [InvalidArgument as c_int; 2]);
    }
    freed.free();
    xg2g_audio_remux_free(ptr::null_mut());
}

#[test]
fn a_pointer_that_is_null_or_a_length_that_cannot_be_is_an_error() {
    let handle = Handle::open();
    let invalid = InvalidArgument as c_int;
    let mut byte = 0_u8;
    let (mut view, mut len) = (ptr::null(), 0);
    // SAFETY: what is not NULL has the length given, or the length is refused unread.
    unsafe {
        let (h, out) = (handle.0, &raw mut byte);
        assert_eq!(xg2g_audio_remux_process(h, ptr::null(), 1, out, 1), invalid);
        assert_eq!(
            xg2g_audio_remux_process(h, out, 1, ptr::null_mut(), 1),
            invalid
        );
        assert_eq!(xg2g_audio_remux_process(h, out, 1 << 25, out, 1), invalid);
        assert_eq!(
            xg2g_audio_remux_process(h, out, usize::MAX, out, 1),
            invalid
        );
        assert_eq!(
            xg2g_audio_remux_process(h, ptr::null(), 0, ptr::null_mut(), 0),
            0
        );
        assert_eq!(
            xg2g_audio_remux_process_view(h, out, 1, ptr::null_mut(), &raw mut len),
            invalid
        );
        assert_eq!(
            xg2g_audio_remux_process_view(h, out, 1, &raw mut view, ptr::null_mut()),
            invalid
        );
        assert_eq!(
            xg2g_audio_remux_finish_view(h, ptr::null_mut(), ptr::null_mut()),
            invalid
        );
    }
    assert_eq!(handle.stats()["bytes_in"], 0);
    handle.free();
}

/// Options as of a later version of the struct. Without padding at its end, whose bytes mean
/// nothing and would be read as a field.
#[repr(C)]
struct LaterOptions {
    known: xg2g_options,
    later: u64,
}

fn options() -> LaterOptions {
    LaterOptions {
        known: xg2g_options {
            size: mem::size_of::<xg2g_options>(),
            sample_rate_hz: 0,
            channels: 2,
            bitrate_bps: 192_000,
            program: 0,
            keep_original: 0,
            generation: 0,
            tracks: ptr::null(),
            dual_mono: ptr::null(),
        },
        later: 0,
    }
}

/// The error of opening with these options; "" when it succeeds.
fn open_error(options: &LaterOptions) -> String {
    let (mut error, mut text) = (0, [0x55_u8; 120]);
    // SAFETY: the options have their size, and the text its capacity.
    let handle = unsafe {
        xg2g_audio_remux_init_with_options(
            (&raw const *options).cast(),
            &raw mut error,
            text.as_mut_ptr().cast(),
            text.len(),
        )
    };
    if handle.is_null() {
        assert_eq!(error, InvalidArgument as c_int);
        let text = CStr::from_bytes_until_nul(&text).expect("a NUL");
        return text.to_str().expect("UTF-8").to_owned();
    }
    assert_eq!((error, text[0]), (0, 0x55));
    xg2g_audio_remux_free(handle);
    String::new()
}

#[test]
fn options_of_a_later_version_are_taken_unless_they_ask_for_what_is_unknown() {
    let mut later = options();
    later.known.size = mem::size_of::<LaterOptions>();
    assert_eq!(open_error(&later), "");
    later.later = 1;
    assert!(open_error(&later).contains("this version of the library lacks"));
}

#[test]
fn options_of_the_first_version_are_taken_and_what_they_lack_is_not_read() {
    let mut first = options();
    first.known.size = mem::offset_of!(xg2g_options, dual_mono);
    first.known.dual_mono = ptr::dangling();
    assert_eq!(open_error(&first), "");
    for none in [first.known.size - 1, first.known.size + 1] {
        first.known.size = none;
        assert!(open_error(&first).contains("options.size"));
    }
}

#[test]
fn options_out_of_range_are_refused_with_a_line_that_says_which() {
    let with = |change: fn(&mut xg2g_options)| {
        let mut options = options();
        change(&mut options.known);
        open_error(&options)
    };
    assert!(with(|o| o.sample_rate_hz = 47_999).contains("47999"));
    assert!(with(|o| o.channels = 258).contains("channels"));
    assert!(with(|o| o.bitrate_bps = 1).contains("bitrate 1"));
    assert!(with(|o| o.program = 0x1_0000).contains("program"));
    assert!(with(|o| o.keep_original = 2).contains("keep_original"));
    for (tracks, error) in [
        (c"all", ""),
        (c"first", ""),
        (c"deu,eng", ""),
        (c"", "\"\""),
        (c"deu,german", "\"german\""),
        (c"d\xFFu", "ISO 639"),
        (c"de,ger,EN", ""),
        (c"xx", "\"xx\""),
    ] {
        let mut options = options();
        let tracks = CString::from(tracks);
        options.known.tracks = tracks.as_ptr();
        let said = open_error(&options);
        assert!(
            said.contains(error) && said.is_empty() == error.is_empty(),
            "{said}"
        );
    }
    for (dual_mono, error) in [
        (c"both", ""),
        (c"left", ""),
        (c"right", ""),
        (c"Left", "dual_mono \"Left\""),
        (c"", "dual_mono \"\""),
    ] {
        let mut options = options();
        options.known.dual_mono = dual_mono.as_ptr();
        let said = open_error(&options);
        assert!(
            said.contains(error) && said.is_empty() == error.is_empty(),
            "{said}"
        );
    }
    assert!(xg2g_audio_remux_init(-1, 2, 192_000).is_null());
    assert!(xg2g_audio_remux_init(0, 3, 192_000).is_null());
    assert!(xg2g_audio_remux_init(0, 2, 0).is_null());
}

#[test]
fn a_text_is_cut_off_at_the_capacity_between_characters() {
    let mut options = options();
    options.known.tracks = c"\u{e9}\u{e9}".as_ptr();
    let whole = open_error(&options);
    for capacity in 0..whole.len() {
        let mut cut = vec![0x55_u8; whole.len()];
        // SAFETY: the options have their size, and the text has that capacity.
        let handle = unsafe {
            xg2g_audio_remux_init_with_options(
                &raw const options.known,
                ptr::null_mut(),
                cut.as_mut_ptr().cast(),
                capacity,
            )
        };
        assert!(handle.is_null());
        assert!(cut[capacity..].iter().all(|byte| *byte == 0x55));
        if capacity > 0 {
            let text = CStr::from_bytes_until_nul(&cut).expect("a NUL");
            assert!(whole.starts_with(text.to_str().expect("UTF-8")));
        }
    }
}

#[test]
fn every_kind_of_error_has_a_name() {
    for kind in -7..=-1 {
        // SAFETY: a name is a static text.
        let name = unsafe { CStr::from_ptr(xg2g_error_name(kind)) };
        assert!(!name.is_empty());
    }
    assert!(xg2g_error_name(-8).is_null());
    assert!(xg2g_error_name(0).is_null());
}

#[test]
#[cfg_attr(miri, ignore = "asks the codec libraries")]
fn the_versions_of_the_library_and_its_codecs_are_told() {
    // SAFETY: the version is a static text.
    let version = unsafe { CStr::from_ptr(xg2g_version()) };
    let version: serde_json::Value =
        serde_json::from_slice(version.to_bytes()).expect("versions are JSON");
    assert_eq!(version["xg2g-transcoder"], env!("CARGO_PKG_VERSION"));
    for codecs in ["ffmpeg", "fdk-aac"] {
        let number = version[codecs].as_str().expect("a text");
        assert!(
            number.starts_with(|c: char| c.is_ascii_digit()),
            "{version}"
        );
    }
}

fn point(tables_len: usize) -> xg2g_point {
    xg2g_point {
        size: mem::size_of::<xg2g_point>(),
        offset: 0,
        pts_90k: XG2G_NO_PTS,
        kind: xg2g_point_kind::RandomAccess as u32,
        program: 7,
        codec: xg2g_video_codec::H264 as u32,
        is_open: 0,
        tables_len,
    }
}

fn joiner(point: &xg2g_point, tables: &[u8], after_gap: c_int) -> *mut c_void {
    // SAFETY: the point is one, and says how many bytes of tables there are or fewer.
    unsafe { xg2g_joiner_init(point, tables.as_ptr(), after_gap) }
}

fn join(joiner: *mut c_void, input: &[u8], capacity: usize) -> Result<Vec<u8>, c_int> {
    let mut output = vec![0xAA; capacity];
    // SAFETY: both buffers have the lengths given.
    let count = unsafe {
        let (input, len) = (input.as_ptr(), input.len());
        xg2g_joiner_process(joiner, input, len, output.as_mut_ptr(), capacity)
    };
    written(count, output)
}

#[test]
fn a_joiner_takes_nothing_while_the_buffer_may_be_too_small() {
    let (tables, input) = (packets(0..2), packets(2..9));
    let joiner = joiner(&point(tables.len()), &tables, 0);
    let enough = 2 * (tables.len() + input.len()) + 376;
    for capacity in [0, tables.len(), tables.len() + input.len() - 1] {
        assert_eq!(join(joiner, &input, capacity), code(OutputTooSmall));
    }
    let expected = [tables, input].concat();
    assert_eq!(join(joiner, &expected[376..], enough), Ok(expected));
    assert_eq!(xg2g_joiner_is_over(joiner), 0);
    xg2g_joiner_free(joiner);
}

#[test]
fn a_joiner_is_no_stream_and_a_stream_no_joiner() {
    let stream = Handle::open();
    let joiner = joiner(&point(0), &[], 1);
    assert!(!joiner.is_null());
    assert_eq!(Handle(joiner).process(&[0x47], 100), code(InvalidArgument));
    assert_eq!(join(stream.0, &[0x47], 1000), code(InvalidArgument));
    assert_eq!(xg2g_joiner_is_over(stream.0), InvalidArgument as c_int);
    xg2g_joiner_free(stream.0);
    assert_eq!(stream.process(&[], 0), Ok(vec![]));
    stream.free();
    xg2g_joiner_free(joiner);
    assert_eq!(join(joiner, &[0x47], 1000), code(InvalidArgument));
    xg2g_joiner_free(joiner);
    xg2g_joiner_free(ptr::null_mut());
}

#[test]
fn a_joiner_begins_at_no_point_that_is_none() {
    let tables = packets(0..1);
    let good = point(tables.len());
    let refused = [
        xg2g_point { size: 8, ..good },
        xg2g_point { kind: 1, ..good },
        xg2g_point { kind: 99, ..good },
        xg2g_point {
            program: 1 << 16,
            ..good
        },
        xg2g_point {
            tables_len: 187,
            ..good
        },
        xg2g_point {
            tables_len: usize::MAX,
            ..good
        },
    ];
    for point in &refused {
        assert!(joiner(point, &tables, 0).is_null(), "{point:?}");
    }
    assert!(joiner(&good, &tables, 2).is_null());
    // SAFETY: NULL is refused unread.
    unsafe {
        assert!(xg2g_joiner_init(ptr::null(), tables.as_ptr(), 0).is_null());
        assert!(xg2g_joiner_init(&raw const good, ptr::null(), 0).is_null());
    }
}

/// A section of PAT or PMT in a packet of its PID.
fn table(pid: u16, table_id: u8, id: u16, content: &[u8]) -> Vec<u8> {
    let header = psi::SectionHeader {
        table_id,
        id,
        version: 0,
        current: true,
        number: 0,
        last_number: 0,
    };
    let section = psi::write_section(header, content).expect("short enough");
    let mut unit = vec![0];
    unit.extend(section);
    let mut packets: Vec<[u8; PACKET_BYTES]> = Vec::new();
    packet::packetise(packet::Pid::new(pid), &unit, false, &mut packets);
    packets.concat()
}

/// Tables of a program with H.264 on PID 0x101, then null packets and half a one.
fn past() -> Vec<u8> {
    let pat = table(0, psi::TABLE_PAT, 1, &[0, 1, 0xE1, 0x00]);
    let map = [0xE1, 0x01, 0xF0, 0, 0x1B, 0xE1, 0x01, 0xF0, 0];
    let pmt = table(0x100, psi::TABLE_PMT, 1, &map);
    let rest = packets(0..6);
    [&pat, &pmt, &rest[..5 * PACKET_BYTES + 90]].concat()
}

fn splice_lead(
    past: &[u8],
    (program, after_gap): (u32, c_int),
    capacity: usize,
) -> Result<Vec<u8>, c_int> {
    let mut output = vec![0xAA; capacity];
    // SAFETY: both buffers have the lengths given.
    let count = unsafe {
        xg2g_splice_lead(
            past.as_ptr(),
            past.len(),
            program,
            after_gap,
            output.as_mut_ptr(),
            capacity,
        )
    };
    written(count, output)
}

fn splice_keep_video(past: &[u8], body: &[u8], capacity: usize) -> Result<(Vec<u8>, usize), c_int> {
    let mut output = vec![0xAA; capacity];
    let mut given_up = 77;
    // SAFETY: the buffers have the lengths given; the count can be written.
    let count = unsafe {
        xg2g_splice_keep_video(
            past.as_ptr(),
            past.len(),
            body.as_ptr(),
            body.len(),
            1,
            output.as_mut_ptr(),
            capacity,
            &raw mut given_up,
        )
    };
    let body = written(count, output)?;
    Ok((body, given_up))
}

#[test]
fn a_lead_is_written_whole_or_not_at_all() {
    let past = past();
    let expected = [&past[..2 * PACKET_BYTES], &past[7 * PACKET_BYTES..]].concat();
    assert_eq!(splice_lead(&past, (1, 0), past.len()), Ok(expected.clone()));
    assert_eq!(
        splice_lead(&past, (1, 0), expected.len()),
        Ok(expected.clone())
    );
    for capacity in [0, 1, expected.len() - 1] {
        assert_eq!(
            splice_lead(&past, (1, 0), capacity),
            Err(OutputTooSmall as c_int)
        );
    }
    let tables = past[..2 * PACKET_BYTES].to_vec();
    assert_eq!(splice_lead(&past, (0, 1), past.len()), Ok(tables));
    assert_eq!(splice_lead(&[], (0, 0), 0), Ok(vec![]));
}

#[test]
fn video_is_kept_in_a_buffer_as_long_as_the_body() {
    let (past, body) = (past(), packets(5..9));
    let body = &body[90..];
    let kept = splice_keep_video(&past, body, body.len());
    assert_eq!(kept, Ok((body.to_vec(), 0)));
    assert_eq!(
        splice_keep_video(&past, body, body.len() - 1),
        Err(OutputTooSmall as c_int)
    );
    // Without tables nothing is known, and nothing written.
    let unknown = splice_keep_video(&past[2 * PACKET_BYTES..], body, body.len());
    assert_eq!(unknown, Ok((vec![], 77)));
}

#[test]
fn the_splice_functions_refuse_arguments_out_of_range() {
    let past = past();
    for options in [(1 << 16, 0), (0, 2)] {
        assert_eq!(
            splice_lead(&past, options, past.len()),
            Err(InvalidArgument as c_int)
        );
    }
    let mut output = [0; PACKET_BYTES];
    let target = output.as_mut_ptr();
    let (bytes, len) = (past.as_ptr(), past.len());
    let (none, no_target) = (ptr::null::<u8>(), ptr::null_mut::<u8>());
    let no_count = ptr::null_mut::<usize>();
    let mut count = 0;
    let too_long = XG2G_MAX_INPUT_BYTES + 1;
    // SAFETY: what is not NULL has the length given, except for the one that is refused by
    // its length alone.
    let codes = unsafe {
        [
            xg2g_splice_lead(none, 1, 0, 0, target, PACKET_BYTES),
            xg2g_splice_lead(bytes, len, 0, 0, no_target, 1),
            xg2g_splice_lead(bytes, too_long, 0, 0, target, PACKET_BYTES),
            xg2g_splice_keep_video(bytes, len, none, 1, 0, target, 0, &raw mut count),
            xg2g_splice_keep_video(none, 1, bytes, len, 0, target, 0, &raw mut count),
            xg2g_splice_keep_video(bytes, len, bytes, len, 0, no_target, 1, &raw mut count),
            xg2g_splice_keep_video(bytes, len, bytes, len, 0, target, 0, no_count),
            xg2g_splice_keep_video(bytes, len, bytes, len, 1 << 16, target, 0, &raw mut count),
            xg2g_splice_first_packet(none, 1),
        ]
    };
    assert_eq!(codes, [InvalidArgument as c_int; 9]);
}

#[test]
fn the_first_packet_is_told_by_its_place() {
    let stream = [vec![9; 300], packets(0..5)].concat();
    // SAFETY: the inputs have the lengths given.
    let places = unsafe {
        [
            xg2g_splice_first_packet(stream.as_ptr(), stream.len()),
            xg2g_splice_first_packet(stream.as_ptr(), 300),
            xg2g_splice_first_packet(ptr::null(), 0),
        ]
    };
    assert_eq!(places, [300, 300, 0]);
}

fn package(packager: *mut c_void, input: &[u8]) -> c_int {
    // SAFETY: the buffer has the length given.
    unsafe { xg2g_packager_process(packager, input.as_ptr(), input.len()) }
}

/// The next event's text and bytes, or the number that was returned in their place.
fn next_event(packager: *mut c_void) -> Result<(String, Vec<u8>), c_int> {
    let (mut json, mut json_len, mut data, mut data_len) = (ptr::null(), 0, ptr::null(), 0);
    // SAFETY: all four can be written.
    let code = unsafe {
        xg2g_packager_next_event(
            packager,
            &raw mut json,
            &raw mut json_len,
            &raw mut data,
            &raw mut data_len,
        )
    };
    if code != 1 {
        return Err(code);
    }
    // SAFETY: both are lent with their lengths until the next call.
    let [json, data] =
        unsafe { [(json, json_len), (data, data_len)].map(|(start, len)| lent(start, len)) };
    Ok((String::from_utf8(json).expect("text"), data))
}

/// # Safety
/// `start` has `len` bytes, or `len` is 0.
unsafe fn lent(start: *const u8, len: usize) -> Vec<u8> {
    if len == 0 {
        return Vec::new();
    }
    // SAFETY: by this function's contract.
    unsafe { slice::from_raw_parts(start, len) }.to_vec()
}

#[test]
fn a_packager_takes_nothing_while_events_wait() {
    let packager = xg2g_packager_init(0, 2000, 500, 30_000);
    let clip = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../xg2g/simulator/clips/two-hd.ts"
    );
    let clip = std::fs::read(clip).expect("the clip is in the repository");
    assert_eq!(next_event(packager), Err(0));
    assert_eq!(package(packager, &clip[..188 * 4000]), 0);
    assert_eq!(package(packager, &clip[..188]), OutputTooSmall as c_int);
    assert_eq!(xg2g_packager_finish(packager), OutputTooSmall as c_int);
    let mut kinds = std::collections::BTreeMap::new();
    while let Ok((json, data)) = next_event(packager) {
        let event: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let kind = event["event"].as_str().expect("a kind").to_owned();
        assert_eq!(
            matches!(&*kind, "header" | "part"),
            !data.is_empty(),
            "{json}"
        );
        *kinds.entry(kind).or_insert(0) += 1;
    }
    assert!(kinds["header"] == 1 && kinds["part"] > 5 && kinds["not_offered"] == 3);
    assert_eq!(xg2g_packager_finish(packager), 0);
    while next_event(packager).is_ok() {}
    assert_eq!(package(packager, &clip[..188]), Finished as c_int);
    assert_eq!(xg2g_packager_finish(packager), 0);
    xg2g_packager_free(packager);
    assert_eq!(package(packager, &clip[..188]), InvalidArgument as c_int);
    assert_eq!(next_event(packager), Err(InvalidArgument as c_int));
    xg2g_packager_free(packager);
    xg2g_packager_free(ptr::null_mut());
}

#[test]
fn a_packager_is_no_stream_and_refuses_what_is_out_of_range() {
    for (program, segment_ms, part_ms, longest_ms) in [
        (65_536, 2000, 500, 30_000),
        (0, 499, 500, 30_000),
        (0, 20_001, 500, 30_000),
        (0, 2000, 199, 30_000),
        (0, 2000, 5001, 30_000),
        (0, 2000, 500, 499),
        (0, 2000, 500, 30_001),
    ] {
        assert!(xg2g_packager_init(program, segment_ms, part_ms, longest_ms).is_null());
    }
    let stream = Handle::open();
    assert_eq!(package(stream.0, &[0x47]), InvalidArgument as c_int);
    let packager = xg2g_packager_init(7, 500, 200, 30_000);
    assert_eq!(
        Handle(packager).process(&[0x47], 100),
        code(InvalidArgument)
    );
    let null: *mut c_void = ptr::null_mut();
    // SAFETY: NULL is refused.
    let told = unsafe {
        xg2g_packager_next_event(packager, null.cast(), null.cast(), null.cast(), null.cast())
    };
    assert_eq!(told, InvalidArgument as c_int);
    stream.free();
    xg2g_packager_free(packager);
}

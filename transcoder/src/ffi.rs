//! The C ABI. Its rules for callers open include/xg2g_transcoder.h, which is
//! generated from this file.
//!
//! Every export is one call of `boundary`, of `call` for those that work on a handle, or of
//! `answer` for those that work on bytes alone: no panic leaves them, and a test reads this
//! file to check this. Code that needs no `unsafe` is in the modules
//! below.
#![expect(unsafe_code, reason = "pointers of C callers")]
#![expect(
    clippy::missing_safety_doc,
    reason = "the rules at the top of the header hold for every export"
)]

mod arguments;
mod boundary;
mod handles;
#[cfg(feature = "test-hooks")]
mod hold;
mod names;
mod packaging;
mod session;
#[cfg(feature = "test-hooks")]
pub mod test_hooks;
mod types;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;
use std::{mem, ptr, slice};

use self::arguments::{invalid, not_null, range, require, writable};
use self::boundary::{answer, boundary, call};
use self::names::{error_name, version_json};
use self::packaging::Packaging;
use self::session::Session;
use self::types::{FIRST_OPTIONS_BYTES, describe, options_of, point_of};
pub use self::types::{XG2G_NO_PTS, xg2g_options, xg2g_point, xg2g_point_kind, xg2g_video_codec};
use crate::mp4::PackagerOptions;
use crate::ts::packet::PACKET_BYTES;
use crate::{Error, ErrorKind, Joiner, Options, Point, PointKind, splice};

/// Version of this ABI. A caller compares it with `xg2g_abi_version()` once, after
/// loading: unequal means that the header and the library do not fit.
pub const XG2G_ABI_VERSION: u32 = 1;

/// Maximum number of bytes that one call takes. It bounds the memory of a call, and keeps
/// the count of its output within an int. A usual read from a receiver is a hundredth of it.
pub const XG2G_MAX_INPUT_BYTES: usize = 16 << 20;

/// Return the ABI version of the library, to be compared with XG2G_ABI_VERSION.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_abi_version() -> u32 {
    boundary(0, || XG2G_ABI_VERSION)
}

/// Return how many streams of this process are open: opened, and not freed yet, or freed
/// while a call was inside that has not returned. 0 again when all are freed.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_open_streams() -> usize {
    boundary(0, session::alive)
}

/// Return the versions of the library and of the codecs in it: a JSON object, component to
/// version, the library's own under "xg2g-transcoder". The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_version() -> *const c_char {
    static VERSION: OnceLock<String> = OnceLock::new();
    boundary(ptr::null(), || {
        VERSION.get_or_init(version_json).as_ptr().cast()
    })
}

/// Return the name of an error number, a static text; NULL for other numbers.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_error_name(error: c_int) -> *const c_char {
    boundary(ptr::null(), || {
        error_name(error).map_or(ptr::null(), CStr::as_ptr)
    })
}

/// Open a stream that converts all tracks of all programs. sample_rate is in Hz; sample_rate
/// and channels may be 0, which keeps the source's; bitrate is in bit/s. Return NULL on error.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_audio_remux_init(
    sample_rate: c_int,
    channels: c_int,
    bitrate: c_int,
) -> *mut c_void {
    boundary(ptr::null_mut(), || {
        let open = || {
            open(Options {
                sample_rate_hz: sample_rate.try_into().ok()?,
                channels: channels.try_into().ok()?,
                bitrate_bps: bitrate.try_into().ok()?,
                ..Options::default()
            })
            .ok()
        };
        open().unwrap_or(ptr::null_mut())
    })
}

/// Open a stream with every option. On error it returns NULL, writes the number to *error
/// if error is not NULL, and a line that says why to text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_audio_remux_init_with_options(
    options: *const xg2g_options,
    error: *mut c_int,
    text: *mut c_char,
    text_capacity: usize,
) -> *mut c_void {
    boundary(ptr::null_mut(), || {
        // SAFETY: by the header's rules `options` is NULL or an xg2g_options.
        let opened = unsafe { read_options(options) }.and_then(open);
        opened.unwrap_or_else(|why| {
            // SAFETY: by the header's rules `error` is NULL or can be written, and `text`
            // has room for `text_capacity` bytes.
            unsafe {
                if !error.is_null() {
                    error.write(why.kind() as c_int);
                }
                write_text(&why.to_string(), text, text_capacity);
            }
            ptr::null_mut()
        })
    })
}

/// Take input_len bytes of the stream, at most XG2G_MAX_INPUT_BYTES, and write what is
/// ready. Return the number of bytes written, which may be 0, or an error.
///
/// XG2G_ERROR_OUTPUT_TOO_SMALL: nothing was written, and nothing is lost. The same
/// input again, with a larger buffer, gets the output and is not processed twice.
/// Other input is processed too, and its output follows the kept output. If not even the
/// kept output fits into output_capacity, the input is refused with the same error, and not
/// taken. xg2g_audio_remux_finish returns kept output as well.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_audio_remux_process(
    handle: *mut c_void,
    input: *const u8,
    input_len: usize,
    output: *mut u8,
    output_capacity: usize,
) -> c_int {
    call(handle, |session: &mut Session| {
        // SAFETY: by the header's rules `input` has `input_len` bytes.
        let input = unsafe { bytes(input, input_len) }?;
        let capacity = writable(output, output_capacity)?;
        let ready = session.process(input, capacity)?;
        // SAFETY: by the header's rules `output` has room for `output_capacity` bytes.
        Ok(unsafe { write_bytes(ready, output) })
    })
}

/// End the stream and write the rest, as xg2g_audio_remux_process does. Called again it
/// returns 0, or after XG2G_ERROR_OUTPUT_TOO_SMALL the rest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_audio_remux_finish(
    handle: *mut c_void,
    output: *mut u8,
    output_capacity: usize,
) -> c_int {
    call(handle, |session: &mut Session| {
        let ready = session.finish(writable(output, output_capacity)?)?;
        // SAFETY: by the header's rules `output` has room for `output_capacity` bytes.
        Ok(unsafe { write_bytes(ready, output) })
    })
}

/// Take input as xg2g_audio_remux_process does, and lend the library's own buffer: *output
/// and *output_len are set, and valid until the next process, finish or free of this
/// handle. Return 0 or an error; it is never too small.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_audio_remux_process_view(
    handle: *mut c_void,
    input: *const u8,
    input_len: usize,
    output: *mut *const u8,
    output_len: *mut usize,
) -> c_int {
    call(handle, |session: &mut Session| {
        // SAFETY: by the header's rules `input` has `input_len` bytes.
        let input = unsafe { bytes(input, input_len) }?;
        not_null(output)?;
        not_null(output_len)?;
        let ready = session.process(input, usize::MAX)?;
        // SAFETY: both are not NULL, so by the header's rules they can be written.
        unsafe { lend(ready, output, output_len) };
        Ok(0)
    })
}

/// End the stream and lend the rest, as xg2g_audio_remux_process_view does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_audio_remux_finish_view(
    handle: *mut c_void,
    output: *mut *const u8,
    output_len: *mut usize,
) -> c_int {
    call(handle, |session: &mut Session| {
        not_null(output)?;
        not_null(output_len)?;
        let ready = session.finish(usize::MAX)?;
        // SAFETY: both are not NULL, so by the header's rules they can be written.
        unsafe { lend(ready, output, output_len) };
        Ok(0)
    })
}

/// Return an output capacity to offer with input_len bytes of input: after
/// XG2G_ERROR_OUTPUT_TOO_SMALL surely enough for the same input again, otherwise an
/// estimate that streams stay below. 0 for a handle that cannot be used.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_audio_remux_output_capacity(handle: *mut c_void, input_len: usize) -> usize {
    boundary(0, || {
        handles::find::<Session>(handle.addr())
            .and_then(|slot| {
                slot.call(|session| Ok(session.capacity_for(input_len)))
                    .ok()
            })
            .unwrap_or(0)
    })
}

/// Take the next point of the processed input: a place where a viewer can join, or where the
/// stream changes. Return 1 with *point filled, 0 if there is none, or an error.
///
/// A point may lie before the output of the latest call: whether a decoder can begin with a
/// picture is known only some packets later. Random access points and entries come with the
/// packets of PAT and PMT for a viewer that begins there; they are written to tables.
/// XG2G_ERROR_OUTPUT_TOO_SMALL: tables needs point->tables_len bytes, and the next call
/// returns the same point. The latest 1024 points are kept; older ones are dropped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_audio_remux_next_point(
    handle: *mut c_void,
    point: *mut xg2g_point,
    tables: *mut u8,
    tables_capacity: usize,
) -> c_int {
    call(handle, |session: &mut Session| {
        not_null(point)?;
        // SAFETY: not NULL, and `size` is the first field of every version.
        let size = unsafe { (&raw const (*point).size).read() };
        if size < mem::size_of::<xg2g_point>() {
            return Err(invalid(format!("point.size is {size}")));
        }
        let capacity = writable(tables, tables_capacity)?;
        let Some(next) = session.next_point() else {
            return Ok(0);
        };
        let found = describe(next, size);
        // SAFETY: by the header's rules `point` can be written.
        unsafe { point.write(found) };
        if found.tables_len > capacity {
            return Err(Error::new(
                ErrorKind::OutputTooSmall,
                format!("the tables have {} bytes", found.tables_len),
            ));
        }
        if let PointKind::RandomAccess {
            tables: packets, ..
        }
        | PointKind::Entry { tables: packets } = &next.kind
        {
            // SAFETY: by the header's rules `tables` has room for `tables_capacity` bytes.
            unsafe { write_bytes(packets, tables) };
        }
        session.take_point();
        Ok(1)
    })
}

/// Write the counters of the stream as JSON, a text; transcoder/src/stats.rs names them.
/// Return its length or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_audio_remux_stats(
    handle: *mut c_void,
    json: *mut c_char,
    json_capacity: usize,
) -> c_int {
    call(handle, |session: &mut Session| {
        let stats = serde_json::to_string(&session.stats())
            .map_err(|why| Error::new(ErrorKind::Internal, why.to_string()))?;
        // SAFETY: by the header's rules `json` has room for `json_capacity` bytes.
        Ok(unsafe { write_text(&stats, json, json_capacity) })
    })
}

/// Write a line that says why the latest failed call on this handle failed, a text, empty
/// if none has; XG2G_ERROR_BUSY and XG2G_ERROR_POISONED leave it as it was. Return its
/// length or an error. It may be called while another call is inside.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_audio_remux_last_error(
    handle: *mut c_void,
    text: *mut c_char,
    text_capacity: usize,
) -> c_int {
    boundary(ErrorKind::Internal as c_int, || {
        handles::find::<Session>(handle.addr()).map_or(
            ErrorKind::InvalidArgument as c_int,
            |slot| {
                // SAFETY: by the header's rules `text` has room for `text_capacity` bytes.
                unsafe { write_text(&slot.last_error(), text, text_capacity) }
            },
        )
    })
}

/// Close a stream. NULL and a handle that is closed already are fine. With a call inside it
/// returns at once, and that call still completes; what it lent is gone.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_audio_remux_free(handle: *mut c_void) {
    boundary((), || handles::remove::<Session>(handle.addr()));
}

/// Make a joiner: it cuts a beginning out of a stream that has long been running, for a
/// viewer that joins. NULL on error.
///
/// point is a random access point or an entry as xg2g_audio_remux_next_point gave it,
/// tables its point->tables_len bytes of tables. With after_gap 1, else 0, the viewer has read
/// something else of the stream before: every PID's first packet is announced as not
/// following that. A joiner is no stream: xg2g_open_streams does not count it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_joiner_init(
    point: *const xg2g_point,
    tables: *const u8,
    after_gap: c_int,
) -> *mut c_void {
    boundary(ptr::null_mut(), || {
        // SAFETY: by the header's rules `point` is NULL or an xg2g_point, and `tables` has
        // the bytes that it says.
        let opened = unsafe { read_point(point, tables) }.and_then(|point| match after_gap {
            0 | 1 => Ok(handles::insert(Joiner::new(&point, after_gap == 1))),
            _ => Err(invalid(format!("after_gap is {after_gap}"))),
        });
        opened.map_or(ptr::null_mut(), ptr::without_provenance_mut)
    })
}

/// Take the stream's next input_len bytes, the first of all being those at the point's offset, and
/// write what the viewer gets. Return the number of bytes written, which may be 0, or an error.
///
/// First leave the tables, then each PID's packets from its next unit on, the point's
/// own first. What begins more than a second before the point is left out, and so are pictures
/// that a viewer who begins there cannot decode. Packets that leave are untouched; where one that
/// was left out would be missed, a packet announces it.
///
/// XG2G_ERROR_OUTPUT_TOO_SMALL: nothing was taken. Twice the bytes of input and tables,
/// and 376 more, are always enough.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_joiner_process(
    joiner: *mut c_void,
    input: *const u8,
    input_len: usize,
    output: *mut u8,
    output_capacity: usize,
) -> c_int {
    call(joiner, |joiner: &mut Joiner| {
        // SAFETY: by the header's rules `input` has `input_len` bytes.
        let input = unsafe { bytes(input, input_len) }?;
        let capacity = writable(output, output_capacity)?;
        let needed = joiner.output_bound(input.len());
        if capacity < needed {
            return Err(Error::new(
                ErrorKind::OutputTooSmall,
                format!("the output may have {needed} bytes, the buffer {capacity}"),
            ));
        }
        let mut ready = Vec::new();
        joiner.push(input, &mut ready);
        // SAFETY: by the header's rules `output` has room for `output_capacity` bytes.
        Ok(unsafe { write_bytes(&ready, output) })
    })
}

/// Return 1 if xg2g_joiner_process will return all further input unchanged, so that it need
/// not be called any more; 0 before, or an error.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_joiner_is_over(joiner: *mut c_void) -> c_int {
    call(joiner, |joiner: &mut Joiner| Ok(joiner.is_over().into()))
}

/// Close a joiner, as xg2g_audio_remux_free closes a stream.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_joiner_free(joiner: *mut c_void) {
    boundary((), || handles::remove::<Joiner>(joiner.addr()));
}

/// Make a packager: it makes CMAF tracks, for HTTP Live Streaming, of one program of a stream that
/// xg2g_audio_remux_process gave. NULL on error.
///
/// program is the service id, 0 the first whose PMT comes. segment_ms is how long segments are
/// where random access points allow it, 500 to 20000; part_ms how long parts are at most, 200 to
/// 5000; longest_ms how long segments are at most, 500 to 30000: one whose group of pictures is
/// longer ends within it. A packager is no stream: xg2g_open_streams does not count it.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_packager_init(
    program: u32,
    segment_ms: u32,
    part_ms: u32,
    longest_ms: u32,
) -> *mut c_void {
    boundary(ptr::null_mut(), || {
        let opened = u16::try_from(program)
            .map_err(|_| range("program"))
            .and_then(|program| {
                Packaging::new(&PackagerOptions {
                    program,
                    segment_ms,
                    part_ms,
                    longest_ms,
                })
            });
        opened.map_or(ptr::null_mut(), |packaging| {
            ptr::without_provenance_mut(handles::insert(packaging))
        })
    })
}

/// Take the stream's next input_len bytes. Return 0 or an error. Any split of the same input gives
/// the same events.
///
/// XG2G_ERROR_OUTPUT_TOO_SMALL: nothing was taken, as events wait; take them with
/// xg2g_packager_next_event first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_packager_process(
    packager: *mut c_void,
    input: *const u8,
    input_len: usize,
) -> c_int {
    call(packager, |packaging: &mut Packaging| {
        // SAFETY: by the header's rules `input` has `input_len` bytes.
        let input = unsafe { bytes(input, input_len) }?;
        packaging.process(input)?;
        Ok(0)
    })
}

/// End the stream: what was held back becomes events. Return 0 or an error, as
/// xg2g_packager_process does; called again it does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_packager_finish(packager: *mut c_void) -> c_int {
    call(packager, |packaging: &mut Packaging| {
        packaging.finish()?;
        Ok(0)
    })
}

/// Take the next event. Return 1, 0 if there is none, or an error. With 1, the packager lends two
/// pointers: the event's text, JSON of json_len bytes, and its bytes, which only an initialisation
/// segment and a part have. They are valid until the next call on this packager.
///
/// "event" is "header" (an initialisation segment), "part", "segment" (its end),
/// "discontinuity" or "not_offered"; transcoder/src/mp4/event.rs says what the fields mean. A
/// rendition is "video", or "sound-" and the PID. Callers must ignore events and fields that they
/// do not know.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_packager_next_event(
    packager: *mut c_void,
    json: *mut *const u8,
    json_len: *mut usize,
    data: *mut *const u8,
    data_len: *mut usize,
) -> c_int {
    call(packager, |packaging: &mut Packaging| {
        not_null(json)?;
        not_null(json_len)?;
        not_null(data)?;
        not_null(data_len)?;
        let Some((text, content)) = packaging.next_event()? else {
            return Ok(0);
        };
        // SAFETY: none is NULL, so by the header's rules they can be written.
        unsafe { lend(text.as_bytes(), json, json_len) };
        // SAFETY: as above.
        unsafe { lend(content, data, data_len) };
        Ok(1)
    })
}

/// Close a packager, as xg2g_audio_remux_free closes a stream.
#[unsafe(no_mangle)]
pub extern "C" fn xg2g_packager_free(packager: *mut c_void) {
    boundary((), || handles::remove::<Packaging>(packager.addr()));
}

/// Write the bytes with which a new handle continues the stream of a lost one. past is the last
/// input that the lost handle answered; pass these bytes before the input that follows it. They
/// are the last whole PAT and PMTs of program (0: of every program), then the unfinished packet
/// at the end of past. With after_gap 1, input is missing after past: then only the tables. Half
/// a second of past is enough, more is better. Return the number of bytes written to output, at
/// most past_len, or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_splice_lead(
    past: *const u8,
    past_len: usize,
    program: u32,
    after_gap: c_int,
    output: *mut u8,
    output_capacity: usize,
) -> c_int {
    answer(|| {
        // SAFETY: by the header's rules `past` has `past_len` bytes.
        let past = unsafe { bytes(past, past_len) }?;
        let program = program.try_into().map_err(|_| range("program"))?;
        let lead = match after_gap {
            0 => splice::lead(past, program),
            1 => splice::lead_after_gap(past, program),
            _ => return Err(range("after_gap")),
        };
        require(lead.len(), writable(output, output_capacity)?)?;
        // SAFETY: by the header's rules `output` has room for `output_capacity` bytes.
        Ok(unsafe { write_bytes(&lead, output) })
    })
}

/// Write body, which follows past, with a null packet in place of each packet without video
/// of program (0: of every program), and set *given_up to the number of replaced bytes.
/// Return the number of bytes written, which is body_len; 0 if past does not show which
/// packets carry video, or if body does not continue with packets; or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_splice_keep_video(
    past: *const u8,
    past_len: usize,
    body: *const u8,
    body_len: usize,
    program: u32,
    output: *mut u8,
    output_capacity: usize,
    given_up: *mut usize,
) -> c_int {
    answer(|| {
        // SAFETY: by the header's rules `past` has `past_len` bytes, `body` has `body_len`.
        let (past, body) = unsafe { (bytes(past, past_len)?, bytes(body, body_len)?) };
        let program = program.try_into().map_err(|_| range("program"))?;
        not_null(given_up)?;
        let capacity = writable(output, output_capacity)?;
        let Some(kept) = splice::video_alone(past, body, program) else {
            return Ok(0);
        };
        require(kept.body.len(), capacity)?;
        // SAFETY: `given_up` is not NULL, and by the header's rules both can be written,
        // `output` with `output_capacity` bytes.
        Ok(unsafe {
            given_up.write(kept.given_up_bytes);
            write_bytes(&kept.body, output)
        })
    })
}

/// Return the offset of the first packet in input; input_len if no five packets follow each
/// other; or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg2g_splice_first_packet(input: *const u8, input_len: usize) -> c_int {
    answer(|| {
        // SAFETY: by the header's rules `input` has `input_len` bytes.
        let input = unsafe { bytes(input, input_len) }?;
        Ok(splice::first_packet(input) as c_int)
    })
}

fn open(options: Options) -> Result<*mut c_void, Error> {
    Ok(ptr::without_provenance_mut(handles::insert(Session::new(
        options,
    )?)))
}

/// Read a point where a viewer can begin.
///
/// # Safety
/// `point` is NULL, or aligned and has the bytes that its `size` says; `tables` has the
/// bytes that `tables_len` says.
unsafe fn read_point(point: *const xg2g_point, tables: *const u8) -> Result<Point, Error> {
    not_null(point)?;
    // SAFETY: not NULL, and `size` is the first field of every version.
    let size = unsafe { (&raw const (*point).size).read() };
    if size < mem::size_of::<xg2g_point>() {
        return Err(invalid(format!("point.size is {size}")));
    }
    // SAFETY: it has at least these bytes, all of them numbers.
    let given = unsafe { point.read() };
    // SAFETY: by this function's contract.
    let tables = unsafe { bytes(tables, given.tables_len) }?;
    if !tables.len().is_multiple_of(PACKET_BYTES) {
        return Err(invalid(format!("tables_len is {}", tables.len())));
    }
    point_of(given, tables)
}

/// Read options whose `size` may be that of a later version of the struct, if all that this
/// version does not know is zero.
///
/// # Safety
/// `options` is NULL, or aligned and has the bytes that its `size` says.
unsafe fn read_options(options: *const xg2g_options) -> Result<Options, Error> {
    not_null(options)?;
    // SAFETY: not NULL, and `size` is the first field of every version.
    let size = unsafe { (&raw const (*options).size).read() };
    let current = mem::size_of::<xg2g_options>();
    if size < current && size != FIRST_OPTIONS_BYTES {
        return Err(invalid(format!(
            "options.size is {size}, which is less than {current}"
        )));
    }
    // What an earlier version lacks is zero.
    let known = size.min(current);
    let mut given = mem::MaybeUninit::<xg2g_options>::zeroed();
    // SAFETY: it has `size` bytes, and `known` is at most that and at most what `given` has;
    // every field is a number or a pointer, for which zeros are valid.
    let (given, rest) = unsafe {
        ptr::copy_nonoverlapping(options.cast::<u8>(), given.as_mut_ptr().cast(), known);
        (
            given.assume_init(),
            bytes(options.cast::<u8>().add(known), size - known)?,
        )
    };
    if rest.iter().any(|byte| *byte != 0) {
        return Err(invalid(
            "options has a field that this version of the library lacks".into(),
        ));
    }
    // SAFETY: by the header's rules a text of the caller ends with NUL.
    let text = |start: *const c_char| unsafe { CStr::from_ptr(start) }.to_string_lossy();
    let tracks = (!given.tracks.is_null()).then(|| text(given.tracks));
    let dual_mono = (!given.dual_mono.is_null()).then(|| text(given.dual_mono));
    options_of(&given, tracks.as_deref(), dual_mono.as_deref())
}

/// # Safety
/// `start` has `len` bytes, which stay as they are for `'a`; NULL is checked here.
unsafe fn bytes<'a>(start: *const u8, len: usize) -> Result<&'a [u8], Error> {
    if len == 0 {
        return Ok(&[]);
    }
    not_null(start)?;
    if len > XG2G_MAX_INPUT_BYTES {
        return Err(invalid(format!(
            "an input of {len} bytes; use at most {XG2G_MAX_INPUT_BYTES}"
        )));
    }
    // SAFETY: not NULL, `len` bytes by this function's contract, and within isize.
    Ok(unsafe { slice::from_raw_parts(start, len) })
}

/// # Safety
/// `output` has room for `ready`, whose length fits an `int`.
unsafe fn write_bytes(ready: &[u8], output: *mut u8) -> c_int {
    if !ready.is_empty() {
        // SAFETY: room by this function's contract; `ready` is the session's own buffer.
        unsafe { ptr::copy_nonoverlapping(ready.as_ptr(), output, ready.len()) };
    }
    ready.len() as c_int
}

/// # Safety
/// Both pointers can be written.
unsafe fn lend(ready: &[u8], output: *mut *const u8, output_len: *mut usize) {
    // SAFETY: by this function's contract.
    unsafe {
        output.write(ready.as_ptr());
        output_len.write(ready.len());
    }
}

/// Write as much of a text as fits, always with a NUL, and return its whole length.
///
/// # Safety
/// `target` is NULL or has room for `capacity` bytes.
unsafe fn write_text(text: &str, target: *mut c_char, capacity: usize) -> c_int {
    if !target.is_null() && capacity > 0 {
        let mut fits = text.len().min(capacity - 1);
        while !text.is_char_boundary(fits) {
            fits -= 1;
        }
        // SAFETY: `fits` bytes and the NUL are at most `capacity`.
        unsafe {
            ptr::copy_nonoverlapping(text.as_ptr(), target.cast(), fits);
            target.add(fits).write(0);
        }
    }
    c_int::try_from(text.len()).unwrap_or(c_int::MAX)
}

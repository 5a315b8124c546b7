//! A stream's handle, and what tests of handles share.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{ptr, slice, thread};

use xg2g_transcoder::ffi::test_hooks::xg2g_test_held;
use xg2g_transcoder::ffi::*;
use xg2g_transcoder::{ErrorKind, Options, Remuxer};

pub(crate) const PACKET_BYTES: usize = 188;

/// Null packets, numbered so that no two are alike.
pub(crate) fn packets(numbers: std::ops::Range<u32>) -> Vec<u8> {
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
pub(crate) struct Handle(pub(crate) *mut c_void);

// SAFETY: by the header a handle may be used by every thread.
unsafe impl Send for Handle {}
// SAFETY: and by several at the same time.
unsafe impl Sync for Handle {}

impl Handle {
    pub(crate) fn open() -> Self {
        let handle = xg2g_audio_remux_init(0, 2, 192_000);
        assert!(!handle.is_null());
        Self(handle)
    }

    pub(crate) fn process(self, input: &[u8], capacity: usize) -> Result<Vec<u8>, c_int> {
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

    pub(crate) fn finish(self, capacity: usize) -> Result<Vec<u8>, c_int> {
        let mut output = vec![0xAA; capacity];
        // SAFETY: the buffer has the length given.
        let count = unsafe { xg2g_audio_remux_finish(self.0, output.as_mut_ptr(), capacity) };
        written(count, output)
    }

    pub(crate) fn process_view(self, input: &[u8]) -> Result<Vec<u8>, c_int> {
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

    pub(crate) fn capacity_for(self, input: &[u8]) -> usize {
        xg2g_audio_remux_output_capacity(self.0, input.len())
    }

    pub(crate) fn last_error(self) -> String {
        text(|target, capacity| {
            // SAFETY: the target has that capacity.
            unsafe { xg2g_audio_remux_last_error(self.0, target, capacity) }
        })
    }

    pub(crate) fn stats(self) -> serde_json::Value {
        let json = text(|target, capacity| {
            // SAFETY: the target has that capacity.
            unsafe { xg2g_audio_remux_stats(self.0, target, capacity) }
        });
        serde_json::from_str(&json).expect("stats are JSON")
    }

    pub(crate) fn free(self) {
        xg2g_audio_remux_free(self.0);
    }
}

pub(crate) fn written(count: c_int, mut output: Vec<u8>) -> Result<Vec<u8>, c_int> {
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
pub(crate) fn text(write: impl Fn(*mut c_char, usize) -> c_int) -> String {
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
pub(crate) fn expected(inputs: &[&[u8]]) -> Vec<u8> {
    let mut remuxer = Remuxer::new(Options::default()).expect("default options");
    let mut output = Vec::new();
    for input in inputs {
        remuxer.push(input, &mut output).expect("push");
    }
    remuxer.finish(&mut output).expect("finish");
    output
}

pub(crate) fn code(kind: ErrorKind) -> Result<Vec<u8>, c_int> {
    Err(kind as c_int)
}

/// Calls are held by one gate for the whole process: one test at a time uses it.
pub(crate) fn gate() -> MutexGuard<'static, ()> {
    static GATE: Mutex<()> = Mutex::new(());
    GATE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn wait_until_held(calls: u32) {
    while xg2g_test_held() != calls {
        thread::yield_now();
    }
}

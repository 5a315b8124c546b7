//! Joiners.

use std::ffi::{c_int, c_void};
use std::{mem, ptr};

use xg2g_transcoder::ErrorKind::{InvalidArgument, OutputTooSmall};
use xg2g_transcoder::ffi::*;

use crate::handle::{Handle, code, packets, written};

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

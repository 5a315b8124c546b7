//! What the fuzz targets share: the promises that hold for any bytes.

use xg2g_transcoder::audio::{Family, frame::Parsed};

/// A header parser needs no more than the header, never takes back what it said of
/// fewer bytes, and gives frames that a framer can walk.
pub fn check_header(family: Family, bytes: &[u8]) {
    let parsed = family.parse(bytes);
    let header_bytes = family.header_bytes();
    if let Parsed::Header(header) = parsed {
        assert_eq!(Family::of(header.codec), family);
        assert!(header.size_bytes > header_bytes);
        assert!(header.sample_rate_hz != Some(0) && header.samples != Some(0));
        assert_eq!(family.parse(&bytes[..header_bytes]), parsed);
    }
    for length in 0..bytes.len().min(header_bytes) {
        match family.parse(&bytes[..length]) {
            Parsed::NeedMore => {}
            Parsed::NotHere => assert_eq!(parsed, Parsed::NotHere),
            Parsed::Header(_) => panic!("a header of {length} bytes"),
        }
    }
    if bytes.len() >= header_bytes {
        assert_ne!(parsed, Parsed::NeedMore);
    }
}

/// Sizes of parts that divide a stream, drawn from two bytes.
pub fn part_sizes([a, b]: [u8; 2]) -> impl Iterator<Item = usize> {
    [usize::from(a) + 1, usize::from(b) * 7 + 1]
        .into_iter()
        .cycle()
}

/// The stream in parts of the given sizes.
pub fn parts(
    mut stream: &[u8],
    mut sizes: impl Iterator<Item = usize>,
) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let size = sizes.next()?.min(stream.len());
        let (part, rest) = stream.split_at(size);
        stream = rest;
        (!part.is_empty()).then_some(part)
    })
}

//! Damage and malice: no bytes make a decoder panic, or hold more than it says.

use proptest::collection::vec;
use proptest::prelude::*;
use xg2g_transcoder::subtitles::Decoder;
use xg2g_transcoder::subtitles::dvb::DvbDecoder;
use xg2g_transcoder::ts::clock::Timestamp;

use super::shown::{decoder, event};
use super::written::{PAGE, Region, SHARED, Set};

/// A segment whose fields have any values, of few pages, regions and objects.
fn segment() -> impl Strategy<Value = Set> {
    let id = || 0..4u8;
    let region = (
        id(),
        any::<bool>(),
        0..40u16,
        0..40u16,
        0..3usize,
        id(),
        any::<u8>(),
    );
    let places = vec((0..4u16, 0..60u16, 0..60u16), 0..4);
    let region = (region, places).prop_map(|(region, objects)| {
        let (id, fills, width, height, depth, clut, background) = region;
        let depth = [2, 4, 8][depth];
        Set::new().region(&Region {
            id,
            fills,
            size: (width, height),
            depth,
            clut,
            background: background
                & ((1u16 << depth) - 1) as u8
                & if depth == 2 { 3 } else { 0xFF },
            objects,
        })
    });
    let page = (
        any::<u8>(),
        0..16u8,
        0..4u8,
        vec((id(), any::<u16>(), any::<u16>()), 0..4),
    );
    let page = page.prop_map(|(time, version, state, regions)| {
        Set::new().page(time, version, state, &regions)
    });
    let entries = vec((any::<u8>(), any::<u8>(), any::<[u8; 4]>()), 0..20);
    let clut = (id(), 0..16u8, entries)
        .prop_map(|(id, version, entries)| Set::new().clut(id, version, &entries));
    let kind = prop_oneof![
        Just(0x10u8),
        Just(0x11),
        Just(0x12),
        Just(0x20),
        Just(0xF0),
        any::<u8>()
    ];
    let string =
        (kind, vec(any::<u8>(), 0..20)).prop_map(|(kind, data)| [&[kind][..], &data].concat());
    let field = vec(string, 0..5).prop_map(|strings| strings.concat());
    let object = (0..4u16, any::<u8>(), field.clone(), field)
        .prop_map(|(id, flags, top, bottom)| Set::new().object_with(id, flags, &top, &bottom));
    let display = (
        any::<u8>(),
        1..=u16::MAX,
        1..=u16::MAX,
        any::<Option<[u16; 4]>>(),
    )
        .prop_map(|(version, w, h, window)| Set::new().display(version & 0xF, (w, h), window));
    let other = (any::<u8>(), vec(any::<u8>(), 0..30))
        .prop_map(|(kind, content)| Set::new().segment(kind, &content));
    prop_oneof![
        3 => region, 3 => page, 1 => clut, 3 => object, 1 => display, 1 => other,
        2 => Just(Set::new().end())
    ]
}

fn packet() -> impl Strategy<Value = Vec<u8>> {
    let page = prop_oneof![4 => Just(PAGE), 1 => Just(SHARED), 1 => any::<u16>()];
    let segments = vec((page, segment()), 0..12).prop_map(|segments| {
        let bytes = segments.into_iter().flat_map(|(page, set)| {
            let mut bytes = set.data();
            bytes.pop();
            bytes.drain(..2);
            bytes[2..4].copy_from_slice(&page.to_be_bytes());
            bytes
        });
        [0x20, 0x00]
            .into_iter()
            .chain(bytes)
            .chain([0xFF])
            .collect::<Vec<u8>>()
    });
    let damaged = (
        segments,
        vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    );
    damaged.prop_map(|(mut bytes, damages)| {
        for (place, value) in damages {
            let index = place.index(bytes.len());
            bytes[index] = value;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(300),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_segments_give_images_of_the_size_that_is_said(
        packets in vec((packet(), 0..3u64, any::<bool>()), 1..8),
    ) {
        let mut decoder = decoder();
        for (packet, at, is_lost) in packets {
            let mut changes = Vec::new();
            if is_lost {
                decoder.lose();
            }
            decoder.push(&packet, Timestamp::new(at), &mut changes);
            prop_assert!(decoder.held_bytes() <= DvbDecoder::MAX_HELD_BYTES);
            for screen in changes.iter().filter_map(|change| change.screen.as_ref()) {
                for image in event(screen).images {
                    let count = image.pixels().iter().filter(|pixel| pixel[3] > 0).count();
                    prop_assert!(count > 0);
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_taken(packets in vec(vec(any::<u8>(), 0..200), 1..8)) {
        let mut decoder = decoder();
        for packet in packets {
            let packet = [&[0x20, 0x00, 0x0F][..], &packet].concat();
            decoder.push(&packet, Timestamp::new(0), &mut Vec::new());
            prop_assert!(decoder.held_bytes() <= DvbDecoder::MAX_HELD_BYTES);
        }
    }
}

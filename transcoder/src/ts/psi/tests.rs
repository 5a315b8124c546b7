use proptest::prelude::*;

use super::*;
use crate::ts::packet::{Packet, packetise};

const HEADER: SectionHeader = SectionHeader {
    table_id: TABLE_PMT,
    id: 28106,
    version: 17,
    current: true,
    number: 0,
    last_number: 0,
};

fn any_pmt() -> impl Strategy<Value = Pmt> {
    let descriptors = || prop::collection::vec(any::<u8>(), 0..40);
    let stream =
        (any::<u8>(), 0u16..0x2000, descriptors()).prop_map(|(t, pid, d)| ElementaryStream {
            stream_type: t,
            pid: Pid::new(pid),
            descriptors: d,
        });
    (
        0u16..0x2000,
        descriptors(),
        prop::collection::vec(stream, 0..20),
    )
        .prop_map(|(p, d, s)| Pmt {
            pcr_pid: Pid::new(p),
            descriptors: d,
            streams: s,
        })
}

proptest! {
    #[test]
    fn a_pmt_survives_writing_packets_and_reading(pmt in any_pmt()) {
        let section = write_section(HEADER, &pmt.content()).expect("fits");
        let mut packets = Vec::new();
        packetise(Pid::new(0x20), &[&[0], section.as_slice()].concat(), false, &mut packets);
        let mut assembler = SectionAssembler::default();
        let mut read = Vec::new();
        for packet in &packets {
            let packet = Packet::new(packet);
            assembler.push(packet.payload(), packet.unit_start(), |s| read.push(s.to_vec()));
        }
        prop_assert_eq!(&read, &[section]);
        let (header, content) = check(&read[0]).expect("valid");
        prop_assert_eq!(header, HEADER);
        prop_assert_eq!(Pmt::parse(content), Some(pmt));
    }

    #[test]
    fn no_bytes_upset_the_parsers(bytes in prop::collection::vec(any::<u8>(), 0..2000),
                                  cut in 1usize..200) {
        let mut assembler = SectionAssembler::default();
        for (i, piece) in bytes.chunks(cut).enumerate() {
            assembler.push(piece, i % 3 == 0, |s| { check(s); });
            prop_assert!(assembler.partial.len() <= MAX_SECTION_BYTES + 200);
        }
        Pmt::parse(&bytes);
        descriptors(&bytes).count();
        programs(&bytes).count();
    }
}

#[test]
fn a_section_with_one_wrong_bit_is_refused() {
    let content = program_entry(1, Pid::new(0x100));
    let section = write_section(
        SectionHeader {
            table_id: TABLE_PAT,
            ..HEADER
        },
        &content,
    )
    .expect("fits");
    assert!(check(&section).is_some());
    for bit in 0..section.len() * 8 {
        let mut damaged = section.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(check(&damaged).is_none(), "bit {bit}");
    }
}

#[test]
fn two_sections_in_one_packet_and_one_begun_behind_a_pointer_are_found() {
    let one = write_section(HEADER, &[0xE1, 0, 0xF0, 0]).expect("fits");
    let two = write_section(SectionHeader { id: 2, ..HEADER }, &[0xE2, 0, 0xF0, 0]).expect("fits");
    let mut assembler = SectionAssembler::default();
    let mut found = Vec::new();
    let first = [&[0], one.as_slice(), two.as_slice(), &one[..5]].concat();
    let second = [
        &[(one.len() - 5) as u8],
        &one[5..],
        two.as_slice(),
        &[0xFF; 20],
    ]
    .concat();
    assembler.push(&first, true, |s| found.push(s.to_vec()));
    assembler.push(&second, true, |s| found.push(s.to_vec()));
    assert_eq!(found, [one.clone(), two.clone(), one, two]);
}

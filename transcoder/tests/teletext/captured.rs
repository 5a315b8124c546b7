//! Teletext of broadcasters, where captures are: the texts that libzvbi finds.

use xg2g_transcoder::ts::packet::{PACKET_BYTES, Packet};
use xg2g_transcoder::ts::psi::MAX_SECTION_BYTES;

use crate::captures::capture;
use crate::judged::texts_of_page;
use crate::made::Heard;

/// The PES packets of a PID, each from its start code on.
fn pes_packets(stream: &[u8], pid: u16) -> Vec<Vec<u8>> {
    let mut packets: Vec<Vec<u8>> = Vec::new();
    for packet in stream.as_chunks::<PACKET_BYTES>().0 {
        let packet = Packet::new(packet);
        if packet.pid().value() != pid || !packet.has_payload() {
            continue;
        }
        if packet.unit_start() {
            packets.push(Vec::new());
        }
        if let Some(last) = packets
            .last_mut()
            .filter(|last| last.len() < 16 * MAX_SECTION_BYTES)
        {
            last.extend(packet.payload());
        }
    }
    packets
}

/// The data of a PES packet.
fn data(pes: &[u8]) -> &[u8] {
    let end = 6 + usize::from(u16::from_be_bytes([pes[4], pes[5]]));
    &pes[9 + usize::from(pes[8])..end.min(pes.len())]
}

/// A capture, its PID with teletext, a page, and how many subtitles of it are there.
const PAGES: [(&str, u16, u16, usize); 4] = [
    ("dvb-fr-pmt-4xmp2-silent-teletext.ts", 0x42C, 0x889, 9),
    ("dvb-fr-pmt-4xmp2-silent-teletext.ts", 0x42C, 0x888, 0),
    // Nothing but headers that fill in.
    ("dvbt-au-mpeg2v-mp2-latmAD-teletext.ts", 0x90C, 0x801, 0),
    // A page of news, in no box, that has the number of subtitles elsewhere.
    ("teletext-only-nopsi.ts", 0x13F0, 0x888, 0),
];

#[test]
fn captured_subtitles_are_those_that_libzvbi_finds() {
    for (name, pid, page, count) in PAGES {
        let Some(path) = capture(name) else {
            continue;
        };
        let packets = pes_packets(&std::fs::read(path).expect("a stream"), pid);
        assert!(packets.len() > 50, "{name}");
        let mut heard = Heard::of(page, None);
        for pes in &packets {
            heard.data(data(pes));
        }
        let ours = heard.texts();
        assert_eq!(ours.len(), count, "{name} {page:x}: {ours:?}");
        if let Some(judged) = texts_of_page(page, &packets).filter(|_| count > 0) {
            assert_eq!(ours, judged, "{name} {page:x}");
        }
    }
}

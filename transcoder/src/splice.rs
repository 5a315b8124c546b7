//! Splices: the input that a new remuxer needs to continue the stream of a lost one.
//!
//! ```text
//!                        past                           |  body
//!  ... PAT PMT v a v a PAT PMT v v a v a v [half a pac  |  ket] v a v ...
//!                      '-----'             '---------'
//!                      what a new remuxer is given before the body
//! ```
//!
//! Pure functions of bytes in the form in which they came: packets of 188 bytes, of 204
//! with their parity, or of 192 with the time stamp of the next one behind each.

use std::collections::{BTreeMap, BTreeSet};

use crate::ts::packet::{PACKET_BYTES, Packet, Pid, SYNC_BYTE};
use crate::ts::psi::{Pmt, SectionAssembler, SectionHeader, TABLE_PAT, TABLE_PMT, check, programs};
use crate::ts::sync::{Synchroniser, layout_at_end, stride_at};
use crate::ts::video::VideoCodec;

/// Bytes from the sync byte to the end of the PID.
const PID_END: usize = 3;

/// Bytes of a packet before its adaptation field or payload.
const HEADER_BYTES: usize = 4;

/// Written over a payload that is given up.
const STUFFING: u8 = 0xFF;

/// Return the input for a new remuxer before the bytes that follow `past`: the last whole PAT
/// and PMTs of `program` (0 for every program) as packets, then the unfinished packet at the
/// end of `past`. Never longer than `past`.
///
/// Empty if `past` does not end with packets. If `past` is too short to show packets, all bytes
/// that no remuxer has decided upon.
pub fn lead(past: &[u8], program: u16) -> Vec<u8> {
    let Some(layout) = Layout::at_end_of(past) else {
        let mut sync = Synchroniser::default();
        sync.push(past, |_| {});
        return if sync.found_packets() {
            Vec::new()
        } else {
            sync.pending().to_vec()
        };
    };
    let mut lead = layout.packets(past).tables(program).packets;
    lead.extend_from_slice(&past[layout.end..]);
    lead
}

/// As [`lead`] for a stream that has a gap behind `past`: the tables alone.
pub fn lead_after_gap(past: &[u8], program: u16) -> Vec<u8> {
    Layout::at_end_of(past).map_or(Vec::new(), |layout| {
        layout.packets(past).tables(program).packets
    })
}

/// Return the offset of the first packet; the length of `stream` if there is none.
pub fn first_packet(stream: &[u8]) -> usize {
    (0..stream.len())
        .find(|&at| stream[at] == SYNC_BYTE && stride_at(&stream[at..]).is_some())
        .unwrap_or(stream.len())
}

/// A body of which the video alone was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoAlone {
    /// As long as the body.
    pub body: Vec<u8>,
    /// Number of bytes that were replaced.
    pub given_up_bytes: usize,
}

/// Return `body`, which follows `past`, with a null packet (ISO/IEC 13818-1, 2.4.3.3) in place
/// of each packet without video of `program`; 0 for every program.
///
/// None if `past` does not show where packets begin or which of them carry video, or if `body`
/// does not continue with packets.
pub fn video_alone(past: &[u8], body: &[u8], program: u16) -> Option<VideoAlone> {
    let layout = Layout::at_end_of(past)?;
    let pids = layout.packets(past).tables(program).video_pids();
    if pids.is_empty() {
        return None;
    }
    let mut kept = VideoAlone {
        body: body.to_vec(),
        given_up_bytes: 0,
    };
    let begun = &past[layout.end..];
    let (rest, _) = body.split_at(
        body.len()
            .min((layout.stride - begun.len()) % layout.stride),
    );
    kept.finish_packet(begun, rest, &pids);
    let mut at = rest.len();
    while let Some(&sync_byte) = body.get(at) {
        if sync_byte != SYNC_BYTE {
            return None;
        }
        let size = layout.stride.min(body.len() - at);
        if let Some(pid) = pid_of(&body[at..])
            && !pids.contains(&pid)
            && pid != Pid::NULL
        {
            kept.body[at + 1..at + PID_END].copy_from_slice(&Pid::NULL.value().to_be_bytes());
            kept.given_up_bytes += size;
        }
        at += size;
    }
    Some(kept)
}

impl VideoAlone {
    /// Leave the packet that was under way the header that went before; without video its
    /// rest loses what it carries.
    fn finish_packet(&mut self, begun: &[u8], rest: &[u8], pids: &BTreeSet<Pid>) {
        let header: Vec<u8> = begun.iter().chain(rest).copied().take(PID_END).collect();
        let is_kept = pid_of(&header).is_none_or(|pid| pids.contains(&pid) || pid == Pid::NULL);
        if is_kept {
            return;
        }
        let start = HEADER_BYTES.saturating_sub(begun.len()).min(rest.len());
        self.body[start..rest.len()].fill(STUFFING);
        self.given_up_bytes += rest.len() - start;
    }
}

fn pid_of(packet: &[u8]) -> Option<Pid> {
    let header = packet.first_chunk::<PID_END>()?;
    Some(Pid::new(u16::from_be_bytes([header[1], header[2]])))
}

/// How packets lie in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    /// From one sync byte to the next.
    stride: usize,
    /// Where the last whole packet ends, with its parity or the next one's time stamp.
    end: usize,
}

impl Layout {
    fn at_end_of(bytes: &[u8]) -> Option<Self> {
        layout_at_end(bytes).map(|(stride, end)| Self { stride, end })
    }

    fn packets(self, bytes: &[u8]) -> Packets<'_> {
        Packets {
            bytes: &bytes[self.end % self.stride..self.end],
            stride: self.stride,
        }
    }
}

/// Packets one stride apart.
#[derive(Clone, Copy)]
struct Packets<'a> {
    bytes: &'a [u8],
    stride: usize,
}

/// The tables in force at the end of some packets.
struct Tables {
    /// The packets in which they lie, whole: PAT first, then PMTs in the stream's order.
    packets: Vec<u8>,
    maps: Vec<Pmt>,
}

/// Places of packets among others.
type Places = BTreeSet<usize>;

impl<'a> Packets<'a> {
    fn views(self) -> impl Iterator<Item = (usize, Packet<'a>)> {
        let chunks = self.bytes.chunks_exact(self.stride).enumerate();
        chunks
            .filter_map(|(place, chunk)| Some((place, Packet::new(chunk.first_chunk()?))))
            .filter(|(_, packet)| packet.bytes()[0] == SYNC_BYTE && !packet.transport_error())
    }

    fn tables(self, program: u16) -> Tables {
        let mut pat = Pat::default();
        let mut carrier = Carrier::default();
        for (place, packet) in self.views().filter(|(_, packet)| packet.pid() == Pid::PAT) {
            carrier.push(place, packet, |header, content, places| {
                if header.table_id == TABLE_PAT {
                    pat.take(header, content, places);
                }
            });
        }
        let wanted = pat.pmts(program);
        let mut carriers: BTreeMap<Pid, Carrier<'_>> = wanted
            .iter()
            .map(|&(pid, _)| (pid, Carrier::default()))
            .collect();
        let mut pmts: BTreeMap<(Pid, u16), (Pmt, Places)> = BTreeMap::new();
        for (place, packet) in self.views() {
            let pid = packet.pid();
            let Some(carrier) = carriers.get_mut(&pid) else {
                continue;
            };
            carrier.push(place, packet, |header, content, places| {
                if header.table_id == TABLE_PMT
                    && wanted.contains(&(pid, header.id))
                    && let Some(map) = Pmt::parse(content)
                {
                    pmts.insert((pid, header.id), (map, places));
                }
            });
        }
        let mut packets = Vec::new();
        let of_pmts = pmts.values().flat_map(|(_, places)| places).copied();
        for places in [pat.places(), of_pmts.collect()] {
            for place in places {
                let start = place * self.stride;
                packets.extend_from_slice(&self.bytes[start..start + self.stride]);
            }
        }
        Tables {
            packets,
            maps: pmts.into_values().map(|(map, _)| map).collect(),
        }
    }
}

impl Tables {
    /// Return the PIDs of video, and of clocks that have a PID of their own; empty without
    /// video.
    fn video_pids(&self) -> BTreeSet<Pid> {
        let streams = || self.maps.iter().flat_map(|map| &map.streams);
        let is_video = |stream_type| VideoCodec::of_stream_type(stream_type).is_some();
        let video: BTreeSet<Pid> = streams()
            .filter(|stream| is_video(stream.stream_type))
            .map(|stream| stream.pid)
            .collect();
        if video.is_empty() {
            return video;
        }
        let others: BTreeSet<Pid> = streams().map(|stream| stream.pid).collect();
        let clocks = self.maps.iter().map(|map| map.pcr_pid);
        let own_clocks: BTreeSet<Pid> = clocks.filter(|pid| !others.contains(pid)).collect();
        &video | &own_clocks
    }
}

/// The PAT, which may have several sections.
#[derive(Default)]
struct Pat {
    of: Option<(u16, u8)>,
    sections: BTreeMap<u8, (Vec<(u16, Pid)>, Places)>,
}

impl Pat {
    fn take(&mut self, header: SectionHeader, content: &[u8], places: Places) {
        let of = Some((header.id, header.version));
        if self.of != of {
            self.of = of;
            self.sections.clear();
        }
        let programs = programs(content).collect();
        self.sections.insert(header.number, (programs, places));
    }

    fn places(&self) -> Places {
        let places = self.sections.values().flat_map(|(_, places)| places);
        places.copied().collect()
    }

    fn pmts(&self, program: u16) -> BTreeSet<(Pid, u16)> {
        let entries = self.sections.values().flat_map(|(programs, _)| programs);
        entries
            .filter(|&&(number, pid)| (program == 0 || program == number) && pid.is_assignable())
            .map(|&(number, pid)| (pid, number))
            .collect()
    }
}

/// A PID that carries sections.
#[derive(Default)]
struct Carrier<'a> {
    assembler: SectionAssembler,
    /// Of the packets in which the present section lies so far.
    places: Places,
    latest: Option<&'a [u8; PACKET_BYTES]>,
}

impl<'a> Carrier<'a> {
    /// Take the PID's next packet and hand `sink` each section in force that ends in it,
    /// with the packets that it lies in.
    fn push(
        &mut self,
        place: usize,
        packet: Packet<'a>,
        mut sink: impl FnMut(SectionHeader, &[u8], Places),
    ) {
        // A packet may be sent twice (2.4.3.3).
        if !packet.has_payload() || self.latest.replace(packet.bytes()) == Some(packet.bytes()) {
            return;
        }
        let mut places = std::mem::take(&mut self.places);
        // pointer_field 0: what went before was not completed.
        if packet.unit_start() && packet.payload().first() == Some(&0) {
            places.clear();
        }
        places.insert(place);
        self.assembler
            .push(packet.payload(), packet.unit_start(), |section| {
                let places = std::mem::replace(&mut places, Places::from([place]));
                if let Some((header, content)) = check(section)
                    && header.current
                {
                    sink(header, content, places);
                }
            });
        if self.assembler.has_begun() {
            self.places = if packet.unit_start() {
                Places::from([place])
            } else {
                places
            };
        }
    }
}

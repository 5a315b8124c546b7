//! Transport streams written bit by bit: pictures and frames without content, with the times
//! and headers that a test is about.

use xg2g_transcoder::ts::clock::{Pcr, Timestamp};
use xg2g_transcoder::ts::packet::{Pid, packetise, set_continuity_counter, set_pcr};
use xg2g_transcoder::ts::pes::write_audio_pes;
use xg2g_transcoder::ts::psi::{
    ElementaryStream, Pmt, SectionHeader, TABLE_PAT, TABLE_PMT, program_entry, write_section,
};

pub(crate) const PMT: u16 = 0x100;
pub(crate) const VIDEO: u16 = 0x101;
pub(crate) const SOUND: u16 = 0x102;
pub(crate) const FRAME: u64 = 3600;

/// Bits of a NAL unit.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn u(mut self, width: u32, value: u32) -> Self {
        self.0
            .extend((0..width).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    fn ue(self, value: u32) -> Self {
        let width = (value + 1).ilog2();
        self.u(width, 0).u(width + 1, value + 1)
    }

    fn bytes(self) -> Vec<u8> {
        let mut bits = self.u(1, 1).0;
        bits.resize(bits.len().next_multiple_of(8), false);
        let byte = |bits: &[bool]| bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
        bits.chunks(8).map(byte).collect()
    }
}

/// What a picture of H.264 is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Idr,
    /// An I picture that is none.
    I,
    P,
    B,
    /// A B picture that others refer to.
    ReferenceB,
}

/// One field of a frame, or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Frame,
    Top,
    Bottom,
}

/// Writes a transport stream.
#[derive(Default)]
pub(crate) struct Stream {
    pub(crate) bytes: Vec<u8>,
    counters: std::collections::HashMap<u16, u8>,
    pub(crate) version: u8,
    /// Macroblocks in a row, which a sequence parameter set says.
    pub(crate) width_in_macroblocks: u32,
    pub(crate) is_interlaced: bool,
    /// Bytes of a slice behind its header.
    pub(crate) slice_bytes: usize,
    /// Slices of a picture behind the first.
    pub(crate) more_slices: u32,
}

impl Stream {
    pub(crate) fn new() -> Self {
        Self {
            width_in_macroblocks: 45,
            slice_bytes: 400,
            ..Self::default()
        }
    }

    pub(crate) fn unit(&mut self, pid: u16, unit: &[u8]) {
        let mut packets = Vec::new();
        packetise(Pid::new(pid), unit, false, &mut packets);
        for mut packet in packets {
            let counter = self.counters.entry(pid).or_default();
            set_continuity_counter(&mut packet, *counter);
            *counter = (*counter + 1) & 0xF;
            self.bytes.extend_from_slice(&packet);
        }
    }

    fn section(&mut self, pid: u16, table_id: u8, id: u16, content: &[u8]) {
        let header = SectionHeader {
            table_id,
            id,
            version: self.version,
            current: true,
            number: 0,
            last_number: 0,
        };
        let section = write_section(header, content).expect("short");
        self.unit(pid, &[&[0], section.as_slice()].concat());
    }

    /// PAT and PMT with these streams: type, PID, descriptors.
    pub(crate) fn tables(&mut self, streams: &[(u8, u16, &[u8])]) {
        let pmt = Pmt {
            pcr_pid: Pid::new(VIDEO),
            descriptors: Vec::new(),
            streams: streams
                .iter()
                .map(|&(stream_type, pid, descriptors)| ElementaryStream {
                    stream_type,
                    pid: Pid::new(pid),
                    descriptors: descriptors.to_vec(),
                })
                .collect(),
        };
        self.section(0, TABLE_PAT, 1, &program_entry(7, Pid::new(PMT)));
        self.section(PMT, TABLE_PMT, 7, &pmt.content());
    }

    pub(crate) fn usual_tables(&mut self) {
        self.tables(&[(0x1B, VIDEO, &[]), (0x0F, SOUND, b"\x0A\x04ger\0")]);
    }

    /// A picture in a PES packet of its own; without times where those are none.
    pub(crate) fn picture(&mut self, kind: Kind, shape: Shape, times: Option<(u64, u64)>) {
        self.picture_of(kind, shape, times, 0);
    }

    /// A picture of which a slice says this frame_num.
    pub(crate) fn picture_of(
        &mut self,
        kind: Kind,
        shape: Shape,
        times: Option<(u64, u64)>,
        frame_num: u32,
    ) {
        let mut pes = vec![0, 0, 1, 0xE0, 0, 0, 0x84];
        match times {
            Some((pts, dts)) => {
                pes.extend([0xC0, 10]);
                pes.extend(stamp(0x30, pts));
                pes.extend(stamp(0x10, dts));
            }
            None => pes.extend([0, 0]),
        }
        for unit in self.units(kind, shape, frame_num) {
            pes.extend([0, 0, 0, 1]);
            pes.extend(unit);
        }
        self.unit(VIDEO, &pes);
    }

    pub(crate) fn sps(&self) -> Vec<u8> {
        let bits = Bits::default().u(8, 0x67).u(8, 77).u(8, 0).u(8, 40);
        let bits = bits.ue(0).ue(0).ue(0).ue(0).ue(4).u(1, 0);
        let bits = bits.ue(self.width_in_macroblocks - 1).ue(17);
        let bits = match self.is_interlaced {
            true => bits.u(1, 0).u(1, 0),
            false => bits.u(1, 1),
        };
        bits.u(1, 1).u(1, 0).u(1, 0).bytes()
    }

    fn units(&self, kind: Kind, shape: Shape, frame_num: u32) -> Vec<Vec<u8>> {
        let mut units = vec![vec![0x09, 0xF0]];
        if matches!(kind, Kind::Idr | Kind::I) && shape != Shape::Bottom {
            units.push(self.sps());
            units.push(vec![0x68, 0xEE, 0x3C, 0x80]);
        }
        let (header, slice_type) = match kind {
            Kind::Idr => (0x65, 7),
            Kind::I => (0x61, 7),
            Kind::P => (0x41, 5),
            Kind::B => (0x01, 6),
            Kind::ReferenceB => (0x21, 6),
        };
        for slice in 0..=self.more_slices {
            let bits = Bits::default().u(8, header).ue(slice * 45);
            let bits = bits.ue(slice_type).ue(0).u(4, frame_num);
            let bits = match (self.is_interlaced, shape) {
                (false, _) => bits,
                (true, Shape::Frame) => bits.u(1, 0),
                (true, Shape::Top) => bits.u(1, 1).u(1, 0),
                (true, Shape::Bottom) => bits.u(1, 1).u(1, 1),
            };
            let mut slice = bits.bytes();
            slice.resize(slice.len() + self.slice_bytes, 0xA5);
            units.push(slice);
        }
        units
    }

    /// A packet of the picture's PID with nothing but the clock.
    pub(crate) fn clock(&mut self, ticks_90k: u64) {
        let mut packet = [0xFF; 188];
        let counter = self
            .counters
            .get(&VIDEO)
            .map_or(0xF, |next| next.wrapping_sub(1) & 0xF);
        let [high, low] = VIDEO.to_be_bytes();
        packet[..6].copy_from_slice(&[0x47, high, low, 0x20 | counter, 183, 0x10]);
        packet[6..12].fill(0);
        set_pcr(&mut packet, Pcr::new(ticks_90k * 300));
        self.bytes.extend(packet);
    }

    /// A frame of AAC with this stamp.
    pub(crate) fn sound(&mut self, pts: u64) {
        self.sound_on(SOUND, pts);
    }

    pub(crate) fn sound_on(&mut self, pid: u16, pts: u64) {
        let mut pes = Vec::new();
        write_audio_pes(Timestamp::new(pts), &adts(), &mut pes);
        self.unit(pid, &pes);
    }
}

/// An ADTS frame of 48 kHz, two channels, 100 bytes.
pub(crate) fn adts() -> Vec<u8> {
    let mut frame = vec![0xFF, 0xF1, 0x4C, 0x80, 0x0C, 0x9F, 0xFC];
    frame.resize(100, 0x5A);
    frame
}

fn stamp(prefix: u8, ticks: u64) -> [u8; 5] {
    let ticks = ticks % (1 << 33);
    [
        prefix | (ticks >> 29) as u8 & 0x0E | 1,
        (ticks >> 22) as u8,
        (ticks >> 14) as u8 | 1,
        (ticks >> 7) as u8,
        (ticks << 1) as u8 | 1,
    ]
}

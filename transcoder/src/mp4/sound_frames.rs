//! Packets of a sound track to AAC frames with their times.

use std::collections::VecDeque;

use super::boxes::SoundFormat;
use super::event::{NotOffered, Reason};
use crate::audio::Codec;
use crate::audio::access_unit::{AccessUnit, Lost};
use crate::audio::framer::Framer;
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};
use crate::ts::continuity::{Continuity, SourceCounter};
use crate::ts::packet::{Packet, Pid};
use crate::ts::pes::PesReader;
use crate::ts::scrambling::{Judgement, Scrambling};

/// Maximum number of frames of a track that wait for the leader: 10 s. The oldest are dropped.
pub(super) const MAX_HELD_FRAMES: usize = 512;

/// Maximum size of these frames in bytes: 10 s of 800 kbit/s.
pub(super) const MAX_HELD_FRAME_BYTES: usize = 1024 * 1024;

/// How far a frame's stamp may be from the samples' count: 0.5 ms.
const TOLERANCE: i64 = TICKS_PER_SECOND / 2000;

/// Samples of a frame.
pub(super) const FRAME_SAMPLES: u32 = 1024;

/// The frames of a track.
#[derive(Debug)]
pub(super) struct Frames {
    counter: SourceCounter,
    scrambling: Scrambling,
    pes: PesReader,
    framer: Framer,
    anchor: Option<Anchor>,
    /// Frames that wait for the leader.
    pub(super) held: Held,
    /// The sample rate of times when no format is known.
    pub(super) last_rate_hz: u32,
    /// Samples since the latest picture.
    pub(super) unaccompanied: u64,
}

/// A time of the track's own 64 bits, and the samples since.
#[derive(Debug, Clone, Copy)]
pub(super) struct Anchor {
    pub(super) time: i64,
    pub(super) samples: u64,
    pub(super) rate_hz: u32,
}

impl Anchor {
    pub(super) fn ticks_90k(self) -> i64 {
        let samples = self.samples as i64 * TICKS_PER_SECOND;
        self.time + samples / i64::from(self.rate_hz)
    }
}

/// A frame with its time.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) at: Anchor,
    pub(super) format: SoundFormat,
    pub(super) data: Vec<u8>,
}

/// Frames that wait for the leader.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) queue: VecDeque<Frame>,
    /// Of their data.
    pub(super) bytes: usize,
}

impl Held {
    /// Add a frame; the oldest go, where there are too many.
    fn push(&mut self, frame: Frame) {
        self.bytes += frame.data.len();
        self.queue.push_back(frame);
        while self.queue.len() > MAX_HELD_FRAMES || self.bytes > MAX_HELD_FRAME_BYTES {
            self.pop();
        }
    }

    /// Take the oldest frame.
    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self.queue.pop_front()?;
        self.bytes -= frame.data.len();
        Some(frame)
    }
}

impl Frames {
    pub(super) fn new() -> Self {
        Self {
            counter: SourceCounter::default(),
            scrambling: Scrambling::default(),
            pes: PesReader::default(),
            framer: Framer::new(Codec::AacAdts),
            anchor: None,
            held: Held::default(),
            last_rate_hz: 48_000,
            unaccompanied: 0,
        }
    }

    /// Take the PID's next packet; return how many frames it completes.
    pub(super) fn push(
        &mut self,
        packet: Packet<'_>,
        pid: Pid,
        troubles: &mut Vec<NotOffered>,
    ) -> usize {
        match self.counter.judge(packet) {
            Continuity::Repeats => return 0,
            Continuity::Lost { .. } => self.lose(),
            Continuity::Follows => {}
        }
        if !packet.has_payload() {
            return 0;
        }
        if self.scrambling.judge(packet).this == Judgement::Scrambled {
            self.lose();
            return 0;
        }
        let Some(chunk) = self.pes.push(packet.payload(), packet.unit_start()) else {
            return 0;
        };
        self.framer.push(chunk.data, chunk.pts);
        self.take(pid, troubles)
    }

    fn lose(&mut self) {
        self.pes.lose();
        self.framer.lose(Lost::default());
    }

    /// End the stream.
    pub(super) fn flush(&mut self, pid: Pid, troubles: &mut Vec<NotOffered>) -> usize {
        self.framer.flush();
        self.take(pid, troubles)
    }

    fn take(&mut self, pid: Pid, troubles: &mut Vec<NotOffered>) -> usize {
        let mut count = 0;
        while let Some(unit) = self.framer.next_unit() {
            let Some((format, data)) = raw_frame(&unit) else {
                troubles.push(NotOffered {
                    pid,
                    reason: Reason::SoundCoding,
                });
                continue;
            };
            let Some(at) = place(self.anchor, format.sample_rate_hz, unit.pts) else {
                continue;
            };
            self.last_rate_hz = format.sample_rate_hz;
            self.anchor = Some(Anchor {
                samples: at.samples + u64::from(FRAME_SAMPLES),
                ..at
            });
            self.unaccompanied += u64::from(FRAME_SAMPLES);
            let data = data.to_vec();
            self.held.push(Frame { at, format, data });
            count += 1;
        }
        count
    }
}

/// Return where a frame lies that follows `expected`, and that a stamp may move.
fn place(expected: Option<Anchor>, rate_hz: u32, pts: Option<Timestamp>) -> Option<Anchor> {
    let Some(expected) = expected else {
        return pts.map(|pts| Anchor {
            time: pts.ticks_90k() as i64,
            samples: 0,
            rate_hz,
        });
    };
    let now = expected.ticks_90k();
    let anchored_at = |time| Anchor {
        time,
        samples: 0,
        rate_hz,
    };
    let Some(pts) = pts else {
        return Some(if expected.rate_hz == rate_hz {
            expected
        } else {
            anchored_at(now)
        });
    };
    let deviation = pts.since(Timestamp::new(now.rem_euclid(1 << 33) as u64));
    if deviation.abs() <= TOLERANCE && expected.rate_hz == rate_hz {
        Some(expected)
    } else {
        Some(anchored_at(now + deviation))
    }
}

/// Return the format of an ADTS frame, and its one raw data block.
fn raw_frame<'a>(unit: &AccessUnit<'a>) -> Option<(SoundFormat, &'a [u8])> {
    let header = unit.header;
    let (Some(sample_rate_hz), Some(channels), Some(FRAME_SAMPLES)) =
        (header.sample_rate_hz, header.channels, header.samples)
    else {
        return None;
    };
    let &[_, second, third, fourth, ..] = unit.data else {
        return None;
    };
    let has_crc = second & 1 == 0;
    let data = unit.data.get(if has_crc { 9 } else { 7 }..)?;
    // profile_ObjectType is the audio object type less 1 (ISO/IEC 14496-3, 1.A.2.2).
    let object_type = (third >> 6) + 1;
    let rate_index = third >> 2 & 0x0F;
    let channel_configuration = (third & 1) << 2 | fourth >> 6;
    Some((
        SoundFormat {
            sample_rate_hz,
            channels,
            config: [
                object_type << 3 | rate_index >> 1,
                rate_index << 7 | channel_configuration << 3,
            ],
        },
        data,
    ))
}

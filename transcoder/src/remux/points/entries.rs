//! Entries: where a viewer may begin although nothing promises a picture.

use super::wait::Wait;
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};
use crate::ts::packet::Pid;

/// How long a random access point is awaited: the most between two (TS 101 154).
const PATIENCE: i64 = 5 * TICKS_PER_SECOND;

/// Pictures, or sound, that have not come for so long do not come: pictures are at most 0.7 s
/// apart (ISO/IEC 13818-1, 2.7.4).
const ABSENT: i64 = TICKS_PER_SECOND;

/// Between two entries.
const ENTRY_SPACING: i64 = TICKS_PER_SECOND / 2;

/// Clear packets behind scrambled ones that make the stream clear: with fewer it is scrambled now
/// and again.
const CLEAR_AFTER_SCRAMBLED: u32 = 200;

/// What entries depend on.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Since a random access point, or a scrambled packet.
    wait: Wait,
    /// Since a picture, or a scrambled packet.
    no_picture: Wait,
    /// Since sound, or a scrambled packet.
    no_sound: Wait,
    /// Since the latest entry.
    since_entry: Option<Wait>,
    /// Whether there was a random access point within the time limit.
    has_random_access: bool,
    /// Whether a clear picture has come since a scrambled one.
    has_clear_picture: bool,
    /// Whether pictures came that no table names.
    has_unnamed_picture: bool,
    had_scrambled: bool,
    /// Packets since a scrambled one.
    clear_packets: u32,
}

impl Entries {
    /// Start again: video was added to the stream, or removed.
    pub(super) fn restart(&mut self) {
        *self = Self {
            had_scrambled: self.had_scrambled,
            ..Self::default()
        };
    }

    /// Take a scrambled packet of what is no picture.
    pub(super) fn see_scrambled_beside_pictures(&mut self, has_pictures: bool) {
        self.no_picture.restart();
        if !has_pictures || !self.has_clear_picture {
            self.see_scrambled();
        }
    }

    /// Take a picture that no table names.
    pub(super) fn see_unnamed_picture(&mut self) {
        self.has_unnamed_picture = true;
    }

    /// Take a unit of sound.
    pub(super) fn hear_sound(&mut self) {
        self.no_sound.restart();
    }

    /// Take a scrambled packet.
    pub(super) fn see_scrambled(&mut self) {
        self.wait.restart();
        self.no_picture.restart();
        self.no_sound.restart();
        self.has_clear_picture = false;
        self.had_scrambled = true;
        self.clear_packets = 0;
    }

    pub(super) fn pass_packet(&mut self) {
        self.clear_packets = self.clear_packets.saturating_add(1);
        for wait in self.waits() {
            wait.pass_packet();
        }
    }

    pub(super) fn pass_unit(&mut self, pid: Pid, pts: Option<Timestamp>) {
        for wait in self.waits() {
            wait.pass_unit(pid, pts);
        }
    }

    fn waits(&mut self) -> impl Iterator<Item = &mut Wait> {
        [&mut self.wait, &mut self.no_picture, &mut self.no_sound]
            .into_iter()
            .chain(&mut self.since_entry)
    }

    pub(super) fn see_picture(&mut self) {
        self.has_clear_picture = true;
        self.no_picture.restart();
    }

    pub(super) fn find_random_access(&mut self) {
        self.has_random_access = true;
        self.wait.restart();
    }

    /// Return whether any picture will do; one that promises to become whole does where
    /// none is.
    pub(super) fn takes_picture(&mut self, is_promised: bool) -> bool {
        if self.wait.lasts(PATIENCE) {
            self.has_random_access = false;
        }
        let will_do = self.wait.lasts(PATIENCE) || is_promised && !self.has_random_access;
        will_do && self.is_due()
    }

    pub(super) fn takes_instead_of_picture(&mut self) -> bool {
        self.no_picture.lasts(ABSENT) && self.is_due()
    }

    /// Nobody plays pictures without tables, of which some streams are sparing.
    pub(super) fn takes_sound(&mut self, is_heard: bool, has_pmt: bool) -> bool {
        let wanted = if self.had_scrambled {
            CLEAR_AFTER_SCRAMBLED
        } else {
            1
        };
        let comes_later = self.has_unnamed_picture && !has_pmt && !self.wait.lasts(PATIENCE);
        let is_place = is_heard || self.no_sound.lasts(ABSENT);
        is_place && self.clear_packets >= wanted && !comes_later && self.is_due()
    }

    fn is_due(&mut self) -> bool {
        let is_due = self
            .since_entry
            .as_ref()
            .is_none_or(|wait| wait.lasts(ENTRY_SPACING));
        if is_due {
            self.since_entry = Some(Wait::default());
        }
        is_due
    }
}

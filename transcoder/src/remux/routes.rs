//! What happens to the packets of each PID.

use crate::ts::packet::Pid;

/// PIDs below are reserved for tables and service information (EN 300 468, 5.1.3).
pub(super) const FIRST_FREE_PID: u16 = 0x20;

/// What happens to the packets of a PID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Pass,
    Drop,
    Pat,
    /// Index of the PMT's PID.
    Pmt(u8),
    /// Index of the track.
    Track(u8),
}

/// The route of each PID.
#[derive(Debug)]
pub(super) struct Routes {
    routes: Box<[Route]>,
    /// PIDs that a table in force names.
    named: Box<[bool]>,
}

impl Routes {
    pub(super) fn new() -> Self {
        Self {
            routes: vec![Route::Pass; Pid::COUNT].into(),
            named: vec![false; Pid::COUNT].into(),
        }
    }

    pub(super) fn of(&self, pid: Pid) -> Route {
        self.routes[pid.index()]
    }

    /// Return whether a packet of the PID need not wait for a PMT: a table that is known names
    /// it, or no PMT may (EN 300 468, 5.1.3).
    pub(super) fn has_place(&self, pid: Pid) -> bool {
        pid.value() < FIRST_FREE_PID || pid == Pid::NULL || self.named[pid.index()]
    }

    /// Begin anew with a route for every PID that nothing below names. Those that carried AAC
    /// of ours and that no PMT names any more are dropped: what the source still sends there
    /// belongs to nothing, and its counters do not follow ours.
    pub(super) fn reset(&mut self, others: Route, abandoned: &[Pid]) {
        self.routes.fill(others);
        self.routes[..usize::from(FIRST_FREE_PID)].fill(Route::Pass);
        for pid in abandoned {
            self.routes[pid.index()] = Route::Drop;
        }
        self.routes[Pid::PAT.index()] = Route::Pat;
        self.named.fill(false);
    }

    /// Let the PIDs that belong to programs pass.
    pub(super) fn set_passing(&mut self, pids: impl Iterator<Item = Pid>) {
        for pid in pids {
            self.named[pid.index()] = true;
            if pid != Pid::PAT {
                self.routes[pid.index()] = Route::Pass;
            }
        }
    }

    /// Route the PIDs of tracks, in their order.
    pub(super) fn set_tracks(&mut self, pids: impl Iterator<Item = Pid>) {
        for (index, pid) in (0..).zip(pids) {
            self.routes[pid.index()] = Route::Track(index);
        }
    }

    /// Route the PIDs of PMTs, in their order.
    pub(super) fn set_pmts(&mut self, pids: impl Iterator<Item = Pid>) {
        for (index, pid) in (0..).zip(pids) {
            self.named[pid.index()] = true;
            self.routes[pid.index()] = Route::Pmt(index);
        }
    }
}

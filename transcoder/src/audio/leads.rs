//! How far PTS usually lead the program's clock at arrival.

use std::collections::VecDeque;

/// Leads that are kept, and how many it takes to know what is usual.
const KEPT_LEADS: usize = 16;
const MIN_LEADS: usize = 3;

/// The latest leads, in 90 kHz.
#[derive(Debug, Default)]
pub(super) struct Leads(VecDeque<i64>);

impl Leads {
    pub(super) fn add(&mut self, lead_90k: i64) {
        if self.0.len() == KEPT_LEADS {
            self.0.pop_front();
        }
        self.0.push_back(lead_90k);
    }

    /// Return the usual lead; `None` while too few are known.
    pub(super) fn usual(&self) -> Option<i64> {
        if self.0.len() < MIN_LEADS {
            return None;
        }
        let mut leads: Vec<i64> = self.0.iter().copied().collect();
        leads.sort_unstable();
        Some(leads[leads.len() / 2])
    }
}

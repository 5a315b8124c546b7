//! Points that were found: some wait for the tables that belong to them, the others to be taken.

use std::collections::VecDeque;

use super::point::{Point, PointKind};
use super::tables::{Counters, Tables};
use crate::ts::clock::Timestamp;
use crate::ts::packet::Packet;

/// Points that wait to be taken. A second of a stream has a few; when nobody takes them
/// the oldest go.
const MAX_POINTS: usize = 1024;

/// Points that wait for the stream's first tables, which leave soon.
const MAX_PENDING: usize = 64;

/// The points of the output.
#[derive(Debug, Default)]
pub(super) struct Found {
    points: VecDeque<Point>,
    /// Points that wait for the first tables.
    pending: VecDeque<(Point, Counters)>,
}

/// A place where a viewer can begin, with the tables at that time.
#[derive(Debug)]
pub(super) struct Beginning {
    offset: u64,
    program: u16,
    pub(super) pts: Option<Timestamp>,
    tables: Vec<u8>,
    pub(super) counters: Counters,
    /// Whether these are all of the tables, or more are not expected.
    is_whole: bool,
}

impl Beginning {
    pub(super) fn new(offset: u64, program: u16, pts: Option<Timestamp>, tables: &Tables) -> Self {
        let counters = tables.counters();
        Self {
            offset,
            program,
            pts,
            tables: tables.packets(&counters),
            counters,
            is_whole: tables.are_whole(program),
        }
    }

    /// Expect no tables where there are none so far.
    pub(super) fn expect_no_tables(mut self) -> Self {
        self.is_whole = true;
        self
    }
}

impl Found {
    /// Return the oldest point that was not taken yet.
    pub(super) fn next(&self) -> Option<&Point> {
        self.points.front()
    }

    pub(super) fn take(&mut self) -> Option<Point> {
        self.points.pop_front()
    }

    /// Note a change of the output.
    pub(super) fn note(&mut self, offset: u64, kind: PointKind, program: u16) {
        self.push(Point {
            offset,
            kind,
            pts: None,
            program,
        });
    }

    /// Note a point where a viewer can begin, once its tables are there.
    pub(super) fn note_beginning(&mut self, at: Beginning, kind: PointKind, tables: &Tables) {
        let point = Point {
            offset: at.offset,
            kind: kind.with_tables(at.tables),
            pts: at.pts,
            program: at.program,
        };
        if at.is_whole {
            self.push(point);
            return;
        }
        if self.pending.len() == MAX_PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back((point, at.counters));
        self.complete(tables);
    }

    /// Take a packet of a table's PID.
    pub(super) fn count(&mut self, packet: Packet<'_>) {
        for (_, counters) in &mut self.pending {
            counters.push(packet);
        }
    }

    /// Give points their tables that came before these.
    pub(super) fn complete(&mut self, tables: &Tables) {
        while let Some((point, _)) = self.pending.front()
            && tables.are_whole(point.program)
            && let Some((mut point, counters)) = self.pending.pop_front()
        {
            point.kind = point.kind.with_tables(tables.packets(&counters));
            self.push(point);
        }
    }

    fn push(&mut self, point: Point) {
        if self.points.len() == MAX_POINTS {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }
}

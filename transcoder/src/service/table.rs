//! The open remuxers by id, and which of them are idle. Reads no clock.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The id of a remuxer: 128 random bits. Knowing it is the permission to use the remuxer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Id(u128);

impl Id {
    /// Returns a new id from the system's random generator.
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits)?;
        Ok(Self(u128::from_ne_bytes(bits)))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The error for a text that is not an [`Id`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoId;

impl FromStr for Id {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        let digits = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != 32 || !digits {
            return Err(NoId);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| NoId)
    }
}

/// Entries by id. An entry that is shared counts as in use.
pub(super) struct Table<T> {
    rows: HashMap<Id, Row<T>>,
}

struct Row<T> {
    entry: Arc<T>,
    used: Instant,
}

impl<T> Table<T> {
    /// Returns an empty table.
    pub(super) fn new() -> Self {
        Self {
            rows: HashMap::new(),
        }
    }

    /// Adds an entry.
    pub(super) fn insert(&mut self, id: Id, entry: T, now: Instant) {
        let entry = Arc::new(entry);
        self.rows.insert(id, Row { entry, used: now });
    }

    /// Shares an entry. The user calls [`touch`](Self::touch) afterwards.
    pub(super) fn get(&self, id: Id) -> Option<Arc<T>> {
        self.rows.get(&id).map(|row| Arc::clone(&row.entry))
    }

    /// Returns true if the table still holds this entry under its id.
    pub(super) fn holds(&self, id: Id, entry: &Arc<T>) -> bool {
        self.rows
            .get(&id)
            .is_some_and(|row| Arc::ptr_eq(&row.entry, entry))
    }

    /// Notes that an entry was used.
    pub(super) fn touch(&mut self, id: Id, now: Instant) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.used = now;
        }
    }

    /// Removes an entry. Its current users keep it.
    pub(super) fn remove(&mut self, id: Id) -> Option<Arc<T>> {
        self.rows.remove(&id).map(|row| row.entry)
    }

    /// Removes the entries that have been unused for `idle`, and returns them.
    pub(super) fn reap(&mut self, idle: Duration, now: Instant) -> Vec<(Id, Arc<T>)> {
        let is_idle = |row: &Row<T>| {
            Arc::strong_count(&row.entry) == 1 && now.saturating_duration_since(row.used) >= idle
        };
        self.rows
            .extract_if(|_, row| is_idle(row))
            .map(|(id, row)| (id, row.entry))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(60);

    fn id(number: u128) -> Id {
        Id(number)
    }

    #[test]
    fn an_id_is_read_as_it_was_written_and_nothing_else_is_an_id() {
        let written = id(0xAB).to_string();
        assert_eq!(written.len(), 32);
        assert_eq!(written.parse(), Ok(id(0xAB)));
        let spelled = ["", "ab", "+0000000000000000000000000000ab", "../../etc"];
        for other in spelled {
            assert_eq!(other.parse::<Id>(), Err(NoId), "{other}");
        }
        assert_eq!(written.to_uppercase().parse::<Id>(), Err(NoId));
        assert_ne!(Id::random(), Id::random());
    }

    #[test]
    fn an_idle_entry_is_removed_when_its_time_is_over_and_not_before() {
        let start = Instant::now();
        let mut table = Table::new();
        table.insert(id(1), "left", start);
        table.insert(id(2), "used later", start);
        table.touch(id(2), start + IDLE / 2);
        assert!(
            table
                .reap(IDLE, start + IDLE - Duration::from_millis(1))
                .is_empty()
        );
        let reaped = table.reap(IDLE, start + IDLE);
        assert_eq!(reaped.len(), 1);
        assert_eq!(*reaped[0].1, "left");
        assert!(table.get(id(1)).is_none());
        assert!(table.get(id(2)).is_some());
    }

    #[test]
    fn an_entry_in_use_is_not_removed_however_long_it_takes() {
        let start = Instant::now();
        let mut table = Table::new();
        table.insert(id(1), (), start);
        let used = table.get(id(1)).expect("it is there");
        assert!(table.reap(IDLE, start + 10 * IDLE).is_empty());
        drop(used);
        table.touch(id(1), start + 10 * IDLE);
        assert!(
            table
                .reap(IDLE, start + 11 * IDLE - Duration::from_secs(1))
                .is_empty()
        );
        assert_eq!(table.reap(IDLE, start + 11 * IDLE).len(), 1);
    }

    #[test]
    fn a_removed_entry_is_not_mistaken_for_another() {
        let start = Instant::now();
        let mut table = Table::new();
        table.insert(id(1), (), start);
        let first = table.get(id(1)).expect("it is there");
        assert!(table.holds(id(1), &first));
        drop(table.remove(id(1)));
        assert!(!table.holds(id(1), &first));
        table.insert(id(1), (), start);
        assert!(!table.holds(id(1), &first));
    }
}

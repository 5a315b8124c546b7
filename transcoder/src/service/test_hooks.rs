//! Inputs that make a call misbehave. Compiled for tests alone.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What the input of a call to be held begins with; the number of its [`HeldCall`] comes next.
const HOLD: &str = "xg2g test: hold ";

/// Length of such an input: more than is converted on the event loop.
const HOLD_BYTES: usize = 16 << 10;

/// Whether the call of each number has arrived; released calls are not in it.
static CALLS: Mutex<BTreeMap<u64, bool>> = Mutex::new(BTreeMap::new());
static RELEASED: Condvar = Condvar::new();

/// A call that stays inside its remuxer until this is dropped.
pub struct HeldCall(u64);

impl HeldCall {
    /// Prepares a call. Nothing is held before its [`input`](Self::input) arrives.
    #[expect(
        clippy::new_without_default,
        reason = "each one is another, and a default suggests otherwise"
    )]
    pub fn new() -> Self {
        let mut calls = calls();
        let number = calls.last_key_value().map_or(0, |(last, _)| last + 1);
        calls.insert(number, false);
        Self(number)
    }

    /// Returns the body of the request that is held.
    pub fn input(&self) -> Vec<u8> {
        let mut input = format!("{HOLD}{} ", self.0).into_bytes();
        input.resize(HOLD_BYTES, b' ');
        input
    }

    /// Returns true once the call is inside.
    pub fn is_inside(&self) -> bool {
        calls().get(&self.0) == Some(&true)
    }
}

impl Drop for HeldCall {
    fn drop(&mut self) {
        calls().remove(&self.0);
        RELEASED.notify_all();
    }
}

/// Panics or waits when the input asks for it.
pub(super) fn obey(input: &[u8]) {
    if input == b"xg2g test: panic" {
        panic!("asked to panic");
    }
    if let Some(number) = input.strip_prefix(HOLD.as_bytes()).and_then(number) {
        hold(number);
    }
}

fn number(text: &[u8]) -> Option<u64> {
    let digits = text.split(|byte| *byte == b' ').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn hold(number: u64) {
    let mut calls = calls();
    if let Some(arrived) = calls.get_mut(&number) {
        *arrived = true;
    }
    drop(RELEASED.wait_while(calls, |calls| calls.contains_key(&number)));
}

fn calls() -> MutexGuard<'static, BTreeMap<u64, bool>> {
    CALLS.lock().unwrap_or_else(PoisonError::into_inner)
}

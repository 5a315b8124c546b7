//! The state that all requests share.

use std::sync::Arc;

use tokio::sync::watch;

use super::metrics::Metrics;
use super::problem::{Kind, Problem};
use super::remuxers::Remuxers;
use super::settings::Settings;
use super::token::Token;

/// The state that all requests share.
pub(super) type Shared = Arc<State>;

pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) token: Option<Token>,
    pub(super) remuxers: Arc<Remuxers>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) stopping: watch::Receiver<bool>,
}

impl State {
    /// Refuses new remuxers while the service is stopping.
    pub(super) fn admit(&self) -> Result<(), Problem> {
        if *self.stopping.borrow() {
            return Err(Problem::new(
                Kind::Stopping,
                "the service is stopping; open the remuxer on another one",
            ));
        }
        Ok(())
    }
}

//! The life cycle of the server: bind, serve, stop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use super::connections::Connections;
use super::listen::Listener;
use super::metrics::Metrics;
use super::remuxers::Remuxers;
use super::router;
use super::settings::{self, Address, Settings, StartError};
use super::state::{Shared, State};
use super::token::Token;

/// Builds the runtime of a server. Conversions run on its blocking threads, of which there is one
/// per core, however many streams there are.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(settings::cores())
        .max_blocking_threads(settings::cores())
        .enable_all()
        .build()
}

/// A server that is bound to its addresses and does not serve yet.
pub struct Server {
    listeners: Vec<Listener>,
    shared: Shared,
    stop: Arc<watch::Sender<bool>>,
}

/// A handle that stops a server. The server then opens no more remuxers, and ends when the open
/// ones have ended or the shutdown grace is over.
#[derive(Clone)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Stopper {
    /// Stops the server. Calling it again does nothing.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Binds every address of the settings.
    pub async fn bind(settings: Settings, token: Option<Token>) -> Result<Self, StartError> {
        let mut listeners = Vec::new();
        for address in &settings.listen {
            listeners.push(Listener::bind(address, settings.socket_mode).await?);
        }
        let metrics = Arc::new(Metrics::new().map_err(|why| StartError(why.to_string()))?);
        let remuxers = Remuxers::new(settings.max_remuxers(), Arc::clone(&metrics));
        let (stop, stopping) = watch::channel(false);
        let shared = Arc::new(State {
            settings,
            token,
            remuxers: Arc::new(remuxers),
            metrics,
            stopping,
        });
        Ok(Self {
            listeners,
            shared,
            stop: Arc::new(stop),
        })
    }

    /// Returns the addresses on which it listens, with the ports that the system chose.
    pub fn addresses(&self) -> Result<Vec<Address>, StartError> {
        self.listeners
            .iter()
            .map(Listener::address)
            .collect::<io::Result<_>>()
            .map_err(|why| StartError(why.to_string()))
    }

    /// Returns a handle that stops the server.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.stop))
    }

    /// Serves until the server is stopped. Dropping the future ends everything at once.
    pub async fn serve(self) {
        let settings = &self.shared.settings;
        let (end, ending) = watch::channel(false);
        let connections = Connections {
            router: router::router(Arc::clone(&self.shared)),
            header_timeout: settings.header_timeout,
            write_timeout: settings.idle_timeout,
            slots: Arc::new(Semaphore::new(settings.max_connections.get())),
            metrics: Arc::clone(&self.shared.metrics),
            ending,
        };
        let mut accepting = JoinSet::new();
        for listener in self.listeners {
            accepting.spawn(connections.clone().accept_all(listener));
        }
        drop(connections);
        let mut stopping = self.shared.stopping.clone();
        let stopped = async {
            let _ = stopping.wait_for(|stopping| *stopping).await;
            drain(&self.shared).await;
        };
        tokio::select! {
            () = stopped => {}
            () = reap(&self.shared) => {}
        }
        end.send_replace(true);
        while accepting.join_next().await.is_some() {}
    }
}

/// Waits until every remuxer has ended, or the shutdown grace is over.
async fn drain(shared: &Shared) {
    let open_remuxers = || shared.remuxers.slots().taken();
    let grace = shared.settings.shutdown_grace;
    info!(
        open_remuxers = open_remuxers(),
        grace_s = grace.as_secs_f64(),
        "stopping: new remuxers are refused"
    );
    if timeout(grace, shared.remuxers.slots().empty())
        .await
        .is_err()
    {
        warn!(
            open_remuxers = open_remuxers(),
            "shutdown grace is over: open streams are cut"
        );
    }
}

/// Frees idle remuxers, until it is dropped.
async fn reap(shared: &Shared) {
    let idle = shared.settings.idle_timeout;
    let mut ticks = interval((idle / 4).min(Duration::from_secs(5)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let reaped = shared.remuxers.reap(idle);
        if reaped > 0 {
            shared.metrics.reaped.inc_by(reaped as u64);
            info!(reaped, "idle remuxers freed");
        }
    }
}

//! Connections: accepted up to a limit, served with deadlines, and ended at shutdown.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tower_service::Service;
use tracing::{debug, warn};

use super::listen::{ArrivedAt, Listener, Stream};
use super::logs::LogLimit;
use super::metrics::Metrics;
use super::router;
use super::settings::Address;
use super::target;

/// Limit of a request's head, and of one read of a body.
const MAX_BUFFER_BYTES: usize = 64 << 10;

/// Limit of header fields in a request. Proxies add some, but not dozens.
const MAX_HEADERS: usize = 64;

/// How long responses that are being written may take at shutdown.
const LAST_RESPONSES: Duration = Duration::from_secs(1);

/// Pause after a connection could not be accepted, for instance for lack of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The settings and services that all connections share.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) router: Router,
    pub(super) header_timeout: Duration,
    /// A write that makes no progress for this time ends the connection.
    pub(super) write_timeout: Duration,
    pub(super) slots: Arc<Semaphore>,
    pub(super) metrics: Arc<Metrics>,
    /// Becomes true when connections have to end after their current response.
    pub(super) ending: watch::Receiver<bool>,
}

impl Connections {
    /// Accepts connections until shutdown, then waits for responses that are being written.
    pub(super) async fn accept_all(self, listener: Listener) {
        let mut tasks = JoinSet::new();
        let refusals = LogLimit::new();
        let mut ending = self.ending.clone();
        loop {
            let accepted = tokio::select! {
                () = ended(&mut ending) => break,
                Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, local)) => self.start(stream, local, &mut tasks, &refusals),
                Err(why) => {
                    // The client has left, or no descriptor is free.
                    debug!(error = %why, "connection not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        let all = async { while tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_RESPONSES, all).await;
    }

    fn start(&self, stream: Stream, local: Address, tasks: &mut JoinSet<()>, refusals: &LogLimit) {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            self.metrics.connections_refused.inc();
            if let Some(times) = refusals.now() {
                warn!(
                    times,
                    "too many connections: closed new ones; see --max-connections"
                );
            }
            return;
        };
        let connections = self.clone();
        tasks.spawn(async move {
            connections.metrics.connections.inc();
            match stream {
                Stream::Tcp(stream) => connections.serve(stream, local).await,
                Stream::Unix(stream) => connections.serve(stream, local).await,
            }
            connections.metrics.connections.dec();
            drop(slot);
        });
    }

    async fn serve<S>(&self, stream: S, local: Address)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream
            .as_mut()
            .set_write_timeout_pinned(Some(self.write_timeout));
        let router = self.router.clone();
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ArrivedAt(local.clone()));
            target::normalise(request.uri_mut());
            let response = router.clone().call(request.map(Body::new));
            async move { response.await.map(router::with_options) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .max_buf_size(MAX_BUFFER_BYTES)
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let mut ending = self.ending.clone();
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = ended(&mut ending) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(why) = outcome {
            debug!(error = %why, "connection broke");
        }
    }
}

/// Waits until the switch is on, or its sender is gone.
async fn ended(switch: &mut watch::Receiver<bool>) {
    let _ = switch.wait_for(|on| *on).await;
}

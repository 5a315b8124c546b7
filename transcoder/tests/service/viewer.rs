//! A viewer whose stream goes on beside whatever a test does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use xg2g_transcoder::service::Address;
use xg2g_transcoder::{Options, Remuxer};

use super::harness::{Answer, CLIP, Client, PATIENCE, Running, full, request};

/// A piece of a stream, some 100 ms long.
const PIECE_BYTES: usize = 188 * 100;

/// Converts the clip over and over, each answer compared with what the library makes of it.
pub(crate) struct Viewer {
    pieces: Arc<AtomicU64>,
    leaves: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Viewer {
    /// Begins to watch, by one connection that has to stay.
    pub(crate) async fn watch(service: &Running) -> Self {
        Self::begin(service, false).await
    }

    /// Begins to watch a service that may close a connection between two requests, as after
    /// `--header-timeout`: repeats the call by another one, like every client of the service.
    pub(crate) async fn watch_reconnecting(service: &Running) -> Self {
        Self::begin(service, true).await
    }

    async fn begin(service: &Running, reconnects: bool) -> Self {
        let pieces = Arc::new(AtomicU64::new(0));
        let leaves = Arc::new(AtomicBool::new(false));
        let mut connection = Connection {
            address: service.address().clone(),
            client: service.client().await,
            reconnects,
        };
        let opened = connection.request("POST", "/v1/remuxers", "").await;
        let remuxer = opened.header("location").expect("a location").to_owned();
        let task = tokio::spawn(watch(
            connection,
            remuxer,
            Arc::clone(&pieces),
            Arc::clone(&leaves),
        ));
        let viewer = Self {
            pieces,
            leaves,
            task,
        };
        viewer.goes_on().await;
        viewer
    }

    /// Waits until more of the stream has come.
    pub(crate) async fn goes_on(&self) {
        let seen = self.pieces.load(Ordering::Relaxed);
        let more = async {
            while self.pieces.load(Ordering::Relaxed) < seen + 3 && !self.task.is_finished() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, more).await.expect("the stream goes on");
        assert!(!self.task.is_finished(), "the stream has ended");
    }

    /// Sees more of the stream, and leaves. Fails if a byte was wrong at any time.
    pub(crate) async fn was_undisturbed(self) {
        self.goes_on().await;
        self.leaves.store(true, Ordering::Relaxed);
        self.task.await.expect("every byte was right");
    }
}

/// A viewer's way to the service.
struct Connection {
    address: Address,
    client: Client,
    reconnects: bool,
}

impl Connection {
    async fn request(&mut self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        let body = body.into();
        loop {
            let request = request(method, path, full(body.clone()));
            match self.client.send(request).await {
                Ok(answer) => return answer,
                Err(why) => assert!(self.reconnects, "the connection broke: {why}"),
            }
            self.client = Client::connect(&self.address).await;
        }
    }
}

async fn watch(
    mut connection: Connection,
    remuxer: String,
    pieces: Arc<AtomicU64>,
    leaves: Arc<AtomicBool>,
) {
    // Beside the requests: limits of time count what passes between two of them.
    let (outputs, seen) = unbounded_channel();
    let judge = spawn_blocking(move || judge(seen, &pieces));
    for (seq, piece) in CLIP.chunks(PIECE_BYTES).cycle().enumerate() {
        if leaves.load(Ordering::Relaxed) {
            break;
        }
        let process = format!("{remuxer}/process?seq={seq}");
        let answer = connection.request("POST", &process, piece).await;
        if outputs.send(answer.output()).is_err() {
            break;
        }
        // A tenth of what a live stream leaves, so that others get the processor.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let deleted = connection.request("DELETE", &remuxer, "").await;
    assert_eq!(deleted.status, 204);
    drop(outputs);
    judge.await.expect("every byte was right");
}

/// Counts the outputs; panics at one that is not what the library makes of its piece.
fn judge(mut outputs: UnboundedReceiver<Bytes>, pieces: &AtomicU64) {
    let mut expected = Remuxer::new(Options::default()).expect("the defaults are valid");
    let mut right = Vec::new();
    for (seq, piece) in CLIP.chunks(PIECE_BYTES).cycle().enumerate() {
        let Some(output) = outputs.blocking_recv() else {
            return;
        };
        right.clear();
        expected.push(piece, &mut right).expect("a stream");
        assert!(output == right, "piece {seq} is wrong");
        pieces.fetch_add(1, Ordering::Relaxed);
    }
}

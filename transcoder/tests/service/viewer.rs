//! A viewer whose stream goes on beside whatever a test does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use xg2g_transcoder::{Options, Remuxer};

use super::harness::{CLIP, Client, PATIENCE, Running};

/// A piece of a stream, some 100 ms long.
const PIECE_BYTES: usize = 188 * 100;

/// Converts the clip over and over, each answer compared with what the library makes of it.
pub(crate) struct Viewer {
    pieces: Arc<AtomicU64>,
    leaves: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Viewer {
    /// Begins to watch.
    pub(crate) async fn watch(service: &Running) -> Self {
        let pieces = Arc::new(AtomicU64::new(0));
        let leaves = Arc::new(AtomicBool::new(false));
        let mut client = service.client().await;
        let remuxer = client.open().await;
        let task = tokio::spawn(watch(
            client,
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

async fn watch(
    mut client: Client,
    remuxer: String,
    pieces: Arc<AtomicU64>,
    leaves: Arc<AtomicBool>,
) {
    let mut expected = Remuxer::new(Options::default()).expect("the defaults are valid");
    let mut output = Vec::new();
    for (seq, piece) in (0..).zip(CLIP.chunks(PIECE_BYTES).cycle()) {
        if leaves.load(Ordering::Relaxed) {
            break;
        }
        output.clear();
        expected.push(piece, &mut output).expect("a stream");
        let answer = client
            .process(&remuxer, seq, Bytes::from_static(piece))
            .await;
        assert!(answer.output() == output, "piece {seq} is wrong");
        pieces.fetch_add(1, Ordering::Relaxed);
        // A tenth of what a live stream leaves, so that others get the processor.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(
        client
            .request("DELETE", &remuxer, Bytes::new())
            .await
            .status,
        204
    );
}

//! The calls of one remuxer: each is done once, whatever happens to connections.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::timeout;
use xg2g_transcoder::service::test_hooks::HeldCall;

use super::harness::{CLIP, PATIENCE, Running, converted, tcp};
use super::viewer::Viewer;

/// The input that makes a call panic; src/service/test_hooks.rs.
const PANIC: &str = "xg2g test: panic";

fn piece(n: usize) -> Bytes {
    Bytes::from_static(&CLIP[n * 18_800..][..18_800])
}

async fn is_inside(call: &HeldCall) {
    let arrived = async {
        while !call.is_inside() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, arrived).await.expect("the call arrives");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_in_chunks_is_converted_as_by_the_library() {
    let expected = converted(CLIP);
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    for piece_bytes in [1_316, 192_512, 1 << 20] {
        let remuxer = client.open().await;
        let mut output = Vec::new();
        let mut seq = 0;
        for piece in CLIP.chunks(piece_bytes) {
            output.extend(client.process(&remuxer, seq, piece).await.output());
            seq += 1;
        }
        output.extend(client.finish(&remuxer, seq).await.output());
        assert!(output == expected, "in pieces of {piece_bytes}");
        let stats = client.get(&remuxer).await.json();
        assert_eq!(stats["bytes_in"], CLIP.len());
        assert_eq!(stats["bytes_out"], output.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_gets_the_same_bytes_and_is_not_processed_twice() {
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    let first = client.process(&remuxer, 0, piece(0)).await.output();
    let second = client.process(&remuxer, 1, piece(1)).await.output();
    for _ in 0..3 {
        // By another connection, as after a loss.
        let mut client = service.client().await;
        let again = client.process(&remuxer, 1, piece(1)).await.output();
        assert!(again == second && again != first);
    }
    let stats = client.get(&remuxer).await.json();
    assert_eq!(stats["bytes_in"], 2 * 18_800);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_and_an_older_call_are_refused_and_the_stream_continues() {
    let service = Running::start(&[]).await;
    let viewer = Viewer::watch(&service).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    for n in 0..3 {
        client
            .process(&remuxer, n, piece(n as usize))
            .await
            .output();
    }
    for seq in [0, 1, 4] {
        let answer = client.process(&remuxer, seq, piece(0)).await;
        assert_eq!(answer.problem(), (409, "BadSequence".into()));
    }
    assert_eq!(client.process(&remuxer, 3, piece(3)).await.status, 200);
    client.finish(&remuxer, 4).await.output();
    let late = client.process(&remuxer, 5, piece(4)).await;
    assert_eq!(late.problem(), (409, "Finished".into()));
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_during_the_first_call_waits_for_its_output() {
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    let held = HeldCall::new();
    let input = held.input();
    let (mut one, mut two) = (service.client().await, service.client().await);
    let release = async {
        is_inside(&held).await;
        // Time for the retry to arrive. One that is later finds the output.
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(held);
    };
    let (first, second, ()) = tokio::join!(
        one.process(&remuxer, 0, input.clone()),
        two.process(&remuxer, 0, input.clone()),
        release,
    );
    assert_eq!(first.output(), second.output());
    let stats = client.get(&remuxer).await.json();
    assert_eq!(stats["bytes_in"], input.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_completes_without_its_client_and_its_retry_gets_the_output() {
    let whole = converted(&CLIP[..2 * 18_800]);
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    client.process(&remuxer, 0, piece(0)).await.output();
    let mut lost = tcp(service.address()).await;
    let head = format!(
        "POST {remuxer}/process?seq=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 18800\r\n\r\n"
    );
    lost.write_all(head.as_bytes()).await.expect("it takes it");
    lost.write_all(&piece(1)).await.expect("it takes it");
    drop(lost);
    let again = client.process(&remuxer, 1, piece(1)).await.output();
    assert!(whole.windows(again.len()).any(|part| part == again));
    assert_eq!(client.get(&remuxer).await.json()["bytes_in"], 2 * 18_800);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remuxer_that_is_deleted_during_a_call_is_freed_after_it() {
    let service = Running::start(&["--max-remuxers", "1"]).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    let held = HeldCall::new();
    let inside = {
        let (mut client, remuxer, input) = (service.client().await, remuxer.clone(), held.input());
        tokio::spawn(async move { client.process(&remuxer, 0, input).await })
    };
    is_inside(&held).await;
    assert_eq!(
        client
            .request("DELETE", &remuxer, Bytes::new())
            .await
            .status,
        204
    );
    let gone = client.process(&remuxer, 1, piece(0)).await;
    assert_eq!(gone.problem(), (404, "NotFound".into()));
    assert_eq!(service.metric("remuxers_open").await, 1.0);
    drop(held);
    inside.await.expect("no panic").output();
    service.until("remuxers_open", 0.0).await;
    client.open().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remuxer_accepts_only_a_few_requests_at_a_time() {
    let service = Running::start(&[]).await;
    let viewer = Viewer::watch(&service).await;
    let remuxer = service.client().await.open().await;
    let held = HeldCall::new();
    let mut requests = JoinSet::new();
    for _ in 0..8 {
        let (mut client, remuxer, input) = (service.client().await, remuxer.clone(), held.input());
        requests.spawn(async move { client.process(&remuxer, 0, input).await });
    }
    // Three are inside as long as the call is held: all others are answered before.
    for _ in 0..5 {
        let refused = timeout(PATIENCE, requests.join_next()).await;
        let refused = refused.expect("nothing waits for the call").expect("five");
        let problem = refused.expect("no panic").problem();
        assert_eq!(problem, (409, "Busy".into()));
    }
    drop(held);
    for served in requests.join_all().await {
        assert_eq!(served.status, 200);
    }
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_its_own_stream_and_no_other() {
    let service = Running::start(&[]).await;
    let viewer = Viewer::watch(&service).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    let broken = client.process(&remuxer, 0, PANIC).await;
    assert_eq!(broken.problem(), (500, "Internal".into()));
    for seq in [0, 1] {
        let answer = client.process(&remuxer, seq, piece(0)).await;
        assert_eq!(answer.problem(), (500, "Poisoned".into()));
    }
    let answer = client.get(&remuxer).await;
    assert_eq!(answer.problem(), (500, "Poisoned".into()));
    assert_eq!(
        client
            .request("DELETE", &remuxer, Bytes::new())
            .await
            .status,
        204
    );
    assert_eq!(service.metric("defects_total").await, 1.0);
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_remuxers_are_freed_and_used_ones_stay() {
    let service = Running::start(&["--idle-timeout", "2s"]).await;
    let viewer = Viewer::watch(&service).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    service.until("remuxers_reaped_total", 1.0).await;
    let answer = client.process(&remuxer, 0, piece(0)).await;
    assert_eq!(answer.problem(), (404, "NotFound".into()));
    assert_eq!(service.metric("remuxers_open").await, 1.0);
    viewer.was_undisturbed().await;
}

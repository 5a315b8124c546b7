//! Clients who mean ill, or are broken: they lose their own connection, and nobody else's.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

use super::harness::{Client, PATIENCE, Running, raw, rest, tcp};
use super::viewer::Viewer;
use xg2g_transcoder::service::raise_descriptor_limit;

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_and_silent_connections_are_cut_off() {
    let service = Running::start(&["--header-timeout", "500ms"]).await;
    let viewer = Viewer::watch_reconnecting(&service).await;
    assert_eq!(raw(service.address(), b"").await, "");
    assert_eq!(
        raw(service.address(), b"POST /v1/remux HTTP/1.1\r\nHos").await,
        ""
    );

    let mut drops = tcp(service.address()).await;
    let begun = Instant::now();
    for byte in b"GET /healthz HTTP/1.1\r\nX-Header: ".iter().cycle() {
        if drops.write_all(&[*byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(50)).await;
        assert!(begun.elapsed() < PATIENCE, "it is never cut off");
    }

    // Between two requests, too.
    let mut kept = tcp(service.address()).await;
    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("it takes it");
    assert_eq!(status(&rest(&mut kept).await), "200");
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_cut_off() {
    let service = Running::start(&["--body-timeout", "2s"]).await;
    let viewer = Viewer::watch(&service).await;
    let remuxer = service.client().await.open().await;
    let mut drops = tcp(service.address()).await;
    let head = format!(
        "POST {remuxer}/process?seq=0 HTTP/1.1\r\nHost: x\r\nContent-Length: 188000\r\n\r\n"
    );
    drops.write_all(head.as_bytes()).await.expect("it takes it");
    let (mut reader, mut writer) = drops.split();
    let drip = async {
        while writer.write_all(b"G").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let answer = tokio::select! {
        answer = rest(&mut reader) => answer,
        () = drip => rest(&mut tcp(service.address()).await).await,
    };
    assert_eq!(status(&answer), "408", "{answer}");
    assert!(answer.contains(r#""kind":"Timeout""#), "{answer}");
    assert_eq!(
        service.client().await.process(&remuxer, 0, "").await.status,
        200
    );
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_headers_and_endless_lines_are_refused() {
    let service = Running::start(&[]).await;
    let viewer = Viewer::watch(&service).await;
    let many: String = (0..1_000).map(|n| format!("X-{n}: {n}\r\n")).collect();
    let floods = [
        (
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
            "431",
        ),
        (
            format!(
                "GET /healthz HTTP/1.1\r\nX: {}\r\n\r\n",
                "x".repeat(1 << 20)
            ),
            "431",
        ),
        (
            format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1 << 20)),
            "431",
        ),
        (
            format!(
                "GET /healthz HTTP/1.1\r\n{}",
                "X-Endless: 1\r\n".repeat(100_000)
            ),
            "431",
        ),
    ];
    for (flood, expected) in floods {
        let answer = raw(service.address(), flood.as_bytes()).await;
        // The connection may be reset before the answer is read.
        assert!(["", expected].contains(&status(&answer)), "{answer}");
    }
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_requests_are_refused() {
    let service = Running::start(&[]).await;
    let viewer = Viewer::watch(&service).await;
    let smuggled = [
        "POST /v1/remux HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /v1/remux HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /v1/remux HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /v1/remux HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET /healthz HTTP/3.7\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}",
        "nonsense\r\n\r\n",
    ];
    for request in smuggled {
        let answer = raw(service.address(), request.as_bytes()).await;
        assert_eq!(status(&answer), "400", "{request:?}: {answer}");
    }
    let http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    assert_eq!(raw(service.address(), http2.as_bytes()).await, "");
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_connections_cost_nobody_a_stream() {
    // Both ends of every connection are in this process.
    raise_descriptor_limit();
    let service = Running::start(&[]).await;
    let viewer = Viewer::watch(&service).await;
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(tcp(service.address()).await);
    }
    viewer.goes_on().await;
    let mut client = service.client().await;
    client.open().await;
    assert!(service.metric("connections_open").await >= 1_000.0);
    viewer.was_undisturbed().await;
    drop(idle);
    service.until("connections_open", 2.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_above_the_limit_are_closed_and_others_continue() {
    let service = Running::start(&["--max-connections", "10"]).await;
    let viewer = Viewer::watch(&service).await;
    let mut held: Vec<Client> = Vec::new();
    for _ in 0..9 {
        held.push(service.client().await);
    }
    assert_eq!(held[8].get("/healthz").await.status, 200);
    for _ in 0..5 {
        assert_eq!(
            raw(service.address(), b"GET /healthz HTTP/1.1\r\n\r\n").await,
            ""
        );
    }
    held.clear();
    let served = async {
        while status(&raw(service.address(), b"GET /healthz HTTP/1.0\r\n\r\n").await) != "200" {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, served)
        .await
        .expect("there is room again");
    assert!(service.metric("connections_refused_total").await >= 5.0);
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_sent_together_are_answered_in_their_order() {
    let service = Running::start(&[]).await;
    let viewer = Viewer::watch(&service).await;
    let remuxer = service.client().await.open().await;
    let mut requests = String::new();
    for seq in [0, 1, 1, 5, 2] {
        requests += &format!(
            "POST {remuxer}/process?seq={seq} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        );
    }
    requests += "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = raw(service.address(), requests.as_bytes()).await;
    let statuses: Vec<_> = answer
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|one| &one[..3])
        .collect();
    assert_eq!(statuses, ["200", "200", "200", "409", "200", "404"]);
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_and_broken_connections_leave_nothing_behind() {
    let service = Running::start(&["--header-timeout", "1s", "--idle-timeout", "2s"]).await;
    let viewer = Viewer::watch_reconnecting(&service).await;
    let mut state = 7_u64;
    for round in 0..60 {
        let mut stream = tcp(service.address()).await;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .take(round * 30)
        .collect();
        if round % 2 == 0 {
            let head = b"POST /v1/remux HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = stream.write_all(head).await;
        }
        let _ = stream.write_all(&bytes).await;
        if round % 3 == 0 {
            let _ = stream.read(&mut [0; 10]).await;
        }
    }
    service.until("remuxers_open", 1.0).await;
    viewer.was_undisturbed().await;
    service.until("connections_open", 1.0).await;
}

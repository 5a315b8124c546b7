//! `POST /v1/remux`: in and out at once.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::harness::{
    Body, CLIP, Client, PATIENCE, Running, Scratch, converted, request, tcp, unix,
};
use super::viewer::Viewer;

/// A body that is sent as it comes.
fn live() -> (mpsc::Sender<Bytes>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        Some((Ok(Frame::data(piece)), receiver))
    });
    (sender, BodyExt::boxed(StreamBody::new(Box::pin(frames))))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_stream_is_converted_as_by_the_library_on_every_socket() {
    let scratch = Scratch::new("streams");
    let socket = unix(&scratch.path("s"));
    let service = Running::start_on(&["127.0.0.1:0", &socket], &[], None).await;
    for address in &service.addresses {
        let mut client = Client::connect(address).await;
        let output = client.post("/v1/remux", CLIP).await.output();
        assert!(output == converted(CLIP), "{address}");
        let nothing = client.post("/v1/remux", "").await.output();
        assert!(nothing.is_empty());
    }
    service.until("remuxers_open", 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_response_arrives_while_the_request_is_sent() {
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    let (input, body) = live();
    let (head, tail) = CLIP.split_at(CLIP.len() / 2);
    input.send(head.into()).await.expect("a client");
    let mut answer = client.start(request("POST", "/v1/remux", body)).await;
    assert_eq!(answer.status(), 200);
    let mut output = Vec::new();
    while output.len() < head.len() / 2 {
        let frame = timeout(PATIENCE, answer.body_mut().frame())
            .await
            .expect("it comes");
        output.extend(
            frame
                .expect("more")
                .expect("HTTP")
                .into_data()
                .expect("data"),
        );
    }
    input.send(tail.into()).await.expect("a client");
    drop(input);
    output.extend(
        answer
            .into_body()
            .collect()
            .await
            .expect("the rest")
            .to_bytes(),
    );
    assert!(output == converted(CLIP));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remuxer_is_free_as_soon_as_its_connection_ends() {
    let service = Running::start(&["--max-remuxers", "2"]).await;
    let viewer = Viewer::watch(&service).await;
    for _ in 0..3 {
        let mut client = service.client().await;
        let (input, body) = live();
        input
            .send(Bytes::from_static(&CLIP[..18_800]))
            .await
            .expect("a client");
        let answer = client.start(request("POST", "/v1/remux", body)).await;
        assert_eq!(service.metric("remuxers_open").await, 2.0);
        drop((answer, client, input));
        service.until("remuxers_open", 1.0).await;
    }
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_not_read_from_and_loses_nothing() {
    // A Unix socket: the system holds little of what is written to it.
    let scratch = Scratch::new("slow");
    let socket = scratch.path("s");
    let service = Running::start_on(&[&unix(&socket)], &[], None).await;
    let viewer = Viewer::watch(&service).await;
    let mut stream = UnixStream::connect(&socket).await.expect("it listens");
    let rounds = 3;
    let head = format!(
        "POST /v1/remux HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        rounds * CLIP.len()
    );
    stream
        .write_all(head.as_bytes())
        .await
        .expect("it takes it");
    let input: Vec<u8> = CLIP.repeat(rounds);
    let (mut reader, mut writer) = stream.split();
    let mut taken = 0;
    while let Ok(wrote) = timeout(Duration::from_secs(1), writer.write(&input[taken..])).await {
        taken += wrote.expect("connected");
        assert!(taken < input.len(), "nothing holds the writer back");
    }
    let write = async {
        writer.write_all(&input[taken..]).await.expect("connected");
    };
    let read = async {
        let mut answer = Vec::new();
        timeout(PATIENCE, reader.read_to_end(&mut answer))
            .await
            .expect("it goes on")
            .expect("connected");
        answer
    };
    let ((), answer) = tokio::join!(write, read);
    let expected = converted(&input);
    let body = dechunked(&answer);
    assert!(
        body == expected,
        "{} of {} bytes",
        body.len(),
        expected.len()
    );
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_stream_ends_without_its_last_chunk() {
    let service = Running::start(&["--idle-timeout", "2s"]).await;
    let viewer = Viewer::watch(&service).await;

    // Nothing at all: a status.
    let mut client = service.client().await;
    let (_silent, body) = live();
    let answer = client
        .send(request("POST", "/v1/remux", body))
        .await
        .expect("an answer");
    assert_eq!(answer.problem(), (408, "Timeout".into()));

    // Something, then nothing: the body breaks off.
    let mut client = service.client().await;
    let (input, body) = live();
    input
        .send(Bytes::from_static(CLIP))
        .await
        .expect("a client");
    let answer = client.start(request("POST", "/v1/remux", body)).await;
    assert!(answer.into_body().collect().await.is_err());

    // Takes nothing of the answer.
    let mut stream = tcp(service.address()).await;
    let head = "POST /v1/remux HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n";
    stream
        .write_all(head.as_bytes())
        .await
        .expect("it takes it");
    let fed = async { while stream.write_all(CLIP).await.is_ok() {} };
    timeout(PATIENCE, fed).await.expect("the connection ends");
    service.until("remuxers_open", 1.0).await;
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn input_that_is_no_transport_stream_has_no_output_and_harms_no_other() {
    let service = Running::start(&[]).await;
    let viewer = Viewer::watch(&service).await;
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
    .take(4 << 20)
    .collect();
    let mut client = service.client().await;
    let output = client.post("/v1/remux", noise.clone()).await.output();
    assert!(output == converted(&noise));
    viewer.was_undisturbed().await;
}

/// The body of an answer in chunks (RFC 9112, 7.1).
fn dechunked(answer: &[u8]) -> Vec<u8> {
    let find = |text: &[u8], what: &[u8]| {
        text.windows(what.len())
            .position(|part| part == what)
            .expect("complete")
    };
    let mut rest = &answer[find(answer, b"\r\n\r\n") + 4..];
    let mut body = Vec::new();
    loop {
        let line = find(rest, b"\r\n");
        let size = std::str::from_utf8(&rest[..line]).expect("ASCII");
        let size = usize::from_str_radix(size, 16).expect("a size");
        if size == 0 {
            return body;
        }
        body.extend(&rest[line + 2..][..size]);
        rest = &rest[line + 2 + size + 2..];
    }
}

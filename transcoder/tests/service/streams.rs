//! `POST /v1/remux`: in and out at once.

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::harness::{Body, CLIP, PATIENCE, Running, converted, request, tcp};
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
async fn a_whole_stream_is_converted_as_by_the_library() {
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    let output = client.post("/v1/remux", CLIP).await.output();
    assert!(output == converted(CLIP));
    let nothing = client.post("/v1/remux", "").await.output();
    assert!(nothing.is_empty());
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

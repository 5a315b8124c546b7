//! Every refusal has its status, and a body that says what is wrong.

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use super::harness::{Body, Running, request};
use super::viewer::Viewer;

const NOBODY: &str = "/v1/remuxers/0123456789abcdef0123456789abcdef";

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_has_its_status_and_kind() {
    let service = Running::start(&[]).await;
    let viewer = Viewer::watch(&service).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    let cases = [
        ("GET", "/", "", 404, "NotFound"),
        ("GET", "/v2", "", 404, "NotFound"),
        ("GET", "/v1/../v1", "", 404, "NotFound"),
        ("PUT", "/v1", "", 405, "MethodNotAllowed"),
        ("GET", "/v1/remux", "", 405, "MethodNotAllowed"),
        ("BREW", "/v1/remuxers", "", 405, "MethodNotAllowed"),
        ("POST", "/v1/remuxers", "{", 400, "BadRequest"),
        ("POST", "/v1/remuxers", "[]", 400, "BadRequest"),
        ("POST", "/v1/remuxers", "\u{0}", 400, "BadRequest"),
        (
            "POST",
            "/v1/remuxers",
            r#"{"chanels":2}"#,
            400,
            "BadRequest",
        ),
        (
            "POST",
            "/v1/remuxers",
            r#"{"channels":"two"}"#,
            400,
            "BadRequest",
        ),
        (
            "POST",
            "/v1/remuxers",
            r#"{"channels":300}"#,
            400,
            "BadRequest",
        ),
        (
            "POST",
            "/v1/remuxers",
            r#"{"channels":3}"#,
            400,
            "InvalidArgument",
        ),
        (
            "POST",
            "/v1/remuxers",
            r#"{"bitrate":1}"#,
            400,
            "InvalidArgument",
        ),
        (
            "POST",
            "/v1/remuxers",
            r#"{"sample_rate":47999}"#,
            400,
            "InvalidArgument",
        ),
        (
            "POST",
            "/v1/remuxers",
            r#"{"program":65536}"#,
            400,
            "BadRequest",
        ),
        (
            "POST",
            "/v1/remuxers",
            r#"{"tracks":[]}"#,
            400,
            "BadRequest",
        ),
        (
            "POST",
            "/v1/remuxers",
            r#"{"tracks":["german"]}"#,
            400,
            "BadRequest",
        ),
        (
            "POST",
            "/v1/remuxers",
            r#"{"tracks":["d3u"]}"#,
            400,
            "BadRequest",
        ),
        ("POST", "/v1/remux?tracks=", "", 400, "BadRequest"),
        (
            "POST",
            "/v1/remux?url=http://10.0.0.1/",
            "",
            400,
            "BadRequest",
        ),
        ("POST", "/v1/remux?channels=9", "", 400, "InvalidArgument"),
        (
            "POST",
            "/v1/remux?channels=2&channels=2",
            "",
            400,
            "BadRequest",
        ),
        ("GET", NOBODY, "", 404, "NotFound"),
        ("DELETE", NOBODY, "", 404, "NotFound"),
        (
            "GET",
            "/v1/remuxers/..%2f..%2fetc%2fpasswd",
            "",
            404,
            "NotFound",
        ),
        ("GET", "/v1/remuxers/%ff", "", 404, "NotFound"),
        ("GET", "/v1/remuxers/%00", "", 404, "NotFound"),
    ];
    for (method, path, body, status, kind) in cases {
        let answer = client.request(method, path, Bytes::from(body)).await;
        assert_eq!(
            answer.problem(),
            (status, kind.into()),
            "{method} {path} {body}"
        );
    }
    let calls = [
        ("process", 400, "BadRequest"),
        ("process?seq=", 400, "BadRequest"),
        ("process?seq=-1", 400, "BadRequest"),
        ("process?seq=one", 400, "BadRequest"),
        ("process?seq=0&again=1", 400, "BadRequest"),
        ("process?seq=18446744073709551616", 400, "BadRequest"),
        ("process?seq=18446744073709551615", 409, "BadSequence"),
        ("process?seq=1", 409, "BadSequence"),
        ("finish?seq=1", 409, "BadSequence"),
        ("finish", 400, "BadRequest"),
    ];
    for (call, status, kind) in calls {
        let answer = client.post(&format!("{remuxer}/{call}"), "").await;
        assert_eq!(answer.problem(), (status, kind.into()), "{call}");
    }
    assert_eq!(client.process(&remuxer, 0, "").await.status, 200);
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn valid_options_are_accepted() {
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    let bodies = [
        "",
        " ",
        "{}",
        r#"{"sample_rate":48000,"channels":6,"bitrate":448000,"program":28106}"#,
        r#"{"tracks":"all","keep_original":true,"generation":3}"#,
        r#"{"tracks":"first"}"#,
        r#"{"tracks":["deu","en"],"dual_mono":"left"}"#,
    ];
    for body in bodies {
        assert_eq!(
            client.post("/v1/remuxers", body).await.status,
            201,
            "{body}"
        );
    }
    let query = "sample_rate=0&channels=1&bitrate=64000&program=0&tracks=deu,eng\
                 &dual_mono=right&keep_original=true&generation=1";
    assert_eq!(
        client.post(&format!("/v1/remux?{query}"), "").await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_is_refused_before_and_while_it_arrives() {
    let service = Running::start(&["--max-body", "64KiB"]).await;
    let viewer = Viewer::watch(&service).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    let process = format!("{remuxer}/process?seq=0");
    let most = vec![0; 64 << 10];
    let more = vec![0; (64 << 10) + 1];

    let declared = client.post(&process, more.clone()).await;
    assert_eq!(declared.problem(), (413, "TooLarge".into()));
    let mut client = service.client().await;
    let chunked = client
        .send(request("POST", &process, in_pieces(&more)))
        .await
        .expect("an answer");
    assert_eq!(chunked.problem(), (413, "TooLarge".into()));
    let mut client = service.client().await;
    let options = client.post("/v1/remuxers", vec![b' '; 17 << 10]).await;
    assert_eq!(options.problem(), (413, "TooLarge".into()));

    let mut client = service.client().await;
    assert_eq!(client.post(&process, most).await.status, 200);
    viewer.was_undisturbed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_service_refuses_remuxers_until_one_is_free() {
    let service = Running::start(&["--max-remuxers", "3"]).await;
    let viewer = Viewer::watch(&service).await;
    let mut client = service.client().await;
    let second = client.open().await;
    assert_eq!(client.get("/readyz").await.status, 200);
    client.open().await;
    for path in ["/v1/remuxers", "/v1/remux"] {
        assert_eq!(client.post(path, "").await.problem(), (503, "Full".into()));
    }
    assert_eq!(client.get("/readyz").await.problem(), (503, "Full".into()));
    assert_eq!(client.get("/healthz").await.status, 200);
    assert_eq!(service.metric("remuxers_refused_total").await, 2.0);
    assert_eq!(service.metric("utilisation").await, 1.0);

    assert_eq!(
        client.request("DELETE", &second, Bytes::new()).await.status,
        204
    );
    assert_eq!(client.get("/readyz").await.status, 200);
    client.open().await;
    viewer.was_undisturbed().await;
}

/// A body without a declared length.
fn in_pieces(bytes: &[u8]) -> Body {
    let frames: Vec<_> = bytes
        .chunks(1000)
        .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames)))
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_method_route_and_status() {
    let service = Running::start(&[]).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    client.get(&remuxer).await;
    client.get(&remuxer).await;
    client.get(NOBODY).await;
    client.get("/v2").await;
    client.request("BREW", "/v1/remuxers", Bytes::new()).await;
    let text = client.get("/metrics").await.body;
    let text = String::from_utf8(text.to_vec()).expect("metrics are a text");
    for (method, route, status, count) in [
        ("POST", "/v1/remuxers", 201, 1),
        ("GET", "/v1/remuxers/{id}", 200, 2),
        ("GET", "/v1/remuxers/{id}", 404, 1),
        ("GET", "other", 404, 1),
        ("other", "/v1/remuxers", 405, 1),
    ] {
        let line = format!(
            "xg2g_transcoder_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}\n"
        );
        assert!(text.contains(&line), "{line} in {text}");
    }
}

//! The token, and what needs none.

use super::harness::{Client, Running, full, request};

const PATHS: [(&str, &str); 7] = [
    ("GET", "/v1"),
    ("POST", "/v1/remuxers"),
    ("GET", "/v1/remuxers/00000000000000000000000000000000"),
    ("DELETE", "/v1/remuxers/00000000000000000000000000000000"),
    (
        "POST",
        "/v1/remuxers/00000000000000000000000000000000/process?seq=0",
    ),
    (
        "POST",
        "/v1/remuxers/00000000000000000000000000000000/finish?seq=0",
    ),
    ("POST", "/v1/remux"),
];

async fn status_with(client: &mut Client, authorization: &str, method: &str, path: &str) -> u16 {
    let mut request = request(method, path, full(""));
    request.headers_mut().insert(
        "authorization",
        authorization.parse().expect("a header's value"),
    );
    let answer = client.send(request).await.expect("an answer");
    if answer.status == 401 {
        let (_, kind) = answer.problem();
        assert_eq!(kind, "Unauthorized");
        assert!(
            answer
                .header("www-authenticate")
                .expect("a challenge")
                .starts_with("Bearer")
        );
        assert!(!String::from_utf8_lossy(&answer.body).contains("swordfish"));
    }
    answer.status
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_that_converts_requires_the_token() {
    let service = Running::start_on(&["127.0.0.1:0"], &[], Some("swordfish")).await;
    let mut client = service.client().await;
    for (method, path) in PATHS {
        let answer = client.request(method, path, "".into()).await;
        assert_eq!(answer.problem(), (401, "Unauthorized".into()), "{path}");
        let wrong = [
            "Bearer swordfis",
            "Bearer swordfishh",
            "Bearer Swordfish",
            "Bearer",
            "Bearer ",
            "Basic swordfish",
            "swordfish",
            "Bearer swordfish swordfish",
            "",
        ];
        for authorization in wrong {
            let status = status_with(&mut client, authorization, method, path).await;
            assert_eq!(status, 401, "{authorization:?} {path}");
        }
        for authorization in ["Bearer swordfish", "bearer swordfish", "BEARER  swordfish "] {
            let status = status_with(&mut client, authorization, method, path).await;
            assert!(
                [200, 201, 404].contains(&status),
                "{authorization:?} {path} {status}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_metrics_and_the_document_need_no_token() {
    let service = Running::start_on(&["127.0.0.1:0"], &[], Some("swordfish")).await;
    let mut client = service.client().await;
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("swordfish"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_names_versions_and_load() {
    let service = Running::start(&["--max-remuxers", "7", "--max-body", "64KiB"]).await;
    let mut client = service.client().await;
    client.open().await;
    let info = client.get("/v1").await.json();
    assert_eq!(info["service"], "xg2g-transcoder");
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info["api"], 1);
    assert_eq!(info["open_remuxers"], 1);
    assert_eq!(info["max_remuxers"], 7);
    assert_eq!(info["max_body_bytes"], 65_536);
    let versions = info["versions"].as_object().expect("an object");
    let components: Vec<_> = versions.keys().collect();
    assert_eq!(components, ["fdk-aac", "ffmpeg", "xg2g-transcoder"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_advertise_a_location_leads_to_this_instance() {
    let service = Running::start(&["--advertise", "http://10.1.2.3:3000/"]).await;
    let location = service.client().await.open().await;
    assert!(
        location.starts_with("http://10.1.2.3:3000/v1/remuxers/"),
        "{location}"
    );

    let service = Running::start(&["--advertise", "auto"]).await;
    let location = service.client().await.open().await;
    let own = format!("{}/v1/remuxers/", service.address());
    assert!(location.starts_with(&own), "{location}");

    let service = Running::start(&[]).await;
    let location = service.client().await.open().await;
    assert!(location.starts_with("/v1/remuxers/"), "{location}");
}

//! What clients and proxies may make of a path, and which methods it answers.

use super::harness::{Running, raw};

/// Every path of the service with the methods that it has.
const PATHS: [(&str, &str); 10] = [
    ("/v1", "GET,HEAD"),
    ("/v1/remuxers", "POST"),
    (
        "/v1/remuxers/0123456789abcdef0123456789abcdef",
        "GET,HEAD,DELETE",
    ),
    (
        "/v1/remuxers/0123456789abcdef0123456789abcdef/process",
        "POST",
    ),
    (
        "/v1/remuxers/0123456789abcdef0123456789abcdef/finish",
        "POST",
    ),
    ("/v1/remux", "POST"),
    ("/healthz", "GET,HEAD"),
    ("/readyz", "GET,HEAD"),
    ("/metrics", "GET,HEAD"),
    ("/openapi.json", "GET,HEAD"),
];

/// Status, methods that are told, and body of the answer.
async fn asked(service: &Running, method: &str, target: &str) -> (u16, Option<String>, String) {
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: transcoder\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let answer = raw(service.address(), request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head[9..12].parse().expect("a status");
    let allow = head
        .lines()
        .find_map(|line| line.strip_prefix("allow: "))
        .map(str::to_owned);
    (status, allow, body.to_owned())
}

fn variants(path: &str) -> [String; 5] {
    [
        format!("http://transcoder:3000{path}"),
        format!("{path}/"),
        format!("/{path}//"),
        path.replace('/', "//"),
        format!("http://transcoder//{path}/"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn absolute_targets_and_extra_slashes_find_the_same_path() {
    let service = Running::start(&[]).await;
    for (path, methods) in PATHS {
        let method = if methods.starts_with("GET") {
            "GET"
        } else {
            "POST"
        };
        let plain = asked(&service, method, path).await;
        for variant in variants(path) {
            let other = asked(&service, method, &variant).await;
            assert_eq!(plain.0, other.0, "{variant}");
            // Remuxers have ids, metrics and counts change.
            if path == "/openapi.json" || plain.0 == 404 {
                assert_eq!(plain, other, "{variant}");
            }
        }
    }
    let (status, ..) = asked(&service, "POST", "//v1/remuxers//x/process/?seq=0").await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn options_and_refusals_list_the_methods() {
    for token in [None, Some("swordfish")] {
        let service = Running::start_on(&["127.0.0.1:0"], &[], token).await;
        for (path, methods) in PATHS {
            let told = Some(format!("{methods},OPTIONS"));
            for variant in variants(path).iter().map(String::as_str).chain([path]) {
                let (status, allow, body) = asked(&service, "OPTIONS", variant).await;
                assert_eq!(
                    (status, &allow, body.as_str()),
                    (204, &told, ""),
                    "{variant}"
                );
            }
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "BREW"] {
                if methods.split(',').any(|has| has == method) {
                    continue;
                }
                let (status, allow, _) = asked(&service, method, path).await;
                assert_eq!((status, &allow), (405, &told), "{method} {path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_a_get_without_a_body() {
    let service = Running::start(&[]).await;
    for (path, methods) in PATHS {
        if methods.contains("HEAD") {
            let got = asked(&service, "GET", path).await;
            let had = asked(&service, "HEAD", path).await;
            assert_eq!((had.0, had.2.as_str()), (got.0, ""), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_path_is_404_with_every_method() {
    let service = Running::start(&[]).await;
    for method in ["GET", "HEAD", "POST", "PUT", "OPTIONS", "BREW"] {
        for path in ["/", "/v2", "/v1%2F", "/v1/remuxer"] {
            assert_eq!(
                asked(&service, method, path).await.0,
                404,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn options_of_the_service_itself_lists_every_method() {
    let service = Running::start(&[]).await;
    let (status, allow, _) = asked(&service, "OPTIONS", "*").await;
    assert_eq!(status, 204);
    assert_eq!(allow.as_deref(), Some("GET,HEAD,POST,DELETE,OPTIONS"));
}

//! What is generated under docs/reference is what the service says of itself.

use std::path::Path;

use super::harness::Running;
use xg2g_transcoder::service::{openapi_document, reference_page};

/// `XG2G_WRITE_REFERENCE=1 cargo test --features service,test-hooks --test service reference`
/// brings them up to date.
#[test]
fn the_generated_pages_are_not_stale() {
    let pages = [
        ("transcoder-openapi.json", openapi_document()),
        ("transcoder-cli.md", reference_page()),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference");
    for (name, text) in pages {
        let path = folder.join(name);
        if std::env::var_os("XG2G_WRITE_REFERENCE").is_some() {
            std::fs::write(&path, &text).expect("it can be written");
        }
        let committed = std::fs::read_to_string(&path).expect("it can be read");
        assert!(
            committed == text,
            "docs/reference/{name} is stale; run XG2G_WRITE_REFERENCE=1 \
             cargo test --features service,test-hooks --test service reference"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_serves_its_document() {
    let service = Running::start(&[]).await;
    let answer = service.client().await.get("/openapi.json").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.body, openapi_document());
}

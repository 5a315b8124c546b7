//! The end: no new remuxers, those that are open go on, within the grace.

use bytes::Bytes;

use super::harness::{CLIP, Running};

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_service_refuses_new_remuxers_and_lets_open_ones_finish() {
    let service = Running::start(&["--shutdown-grace", "60s"]).await;
    let mut client = service.client().await;
    let remuxer = client.open().await;
    client.process(&remuxer, 0, &CLIP[..18_800]).await.output();
    service.stopper.stop();
    let mut other = service.client().await;
    assert_eq!(
        other.get("/readyz").await.problem(),
        (503, "Stopping".into())
    );
    assert_eq!(other.get("/healthz").await.status, 200);
    for path in ["/v1/remuxers", "/v1/remux"] {
        assert_eq!(
            other.post(path, "").await.problem(),
            (503, "Stopping".into())
        );
    }
    client
        .process(&remuxer, 1, &CLIP[18_800..37_600])
        .await
        .output();
    client.finish(&remuxer, 2).await.output();
    assert!(!service.task.is_finished());
    assert_eq!(
        client
            .request("DELETE", &remuxer, Bytes::new())
            .await
            .status,
        204
    );
    service.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_ends_when_the_shutdown_grace_is_over() {
    let service = Running::start(&["--shutdown-grace", "200ms"]).await;
    service.client().await.open().await;
    service.stopper.stop();
    service.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_service_stops_at_once() {
    let service = Running::start(&["--shutdown-grace", "10000s"]).await;
    let _idle = service.client().await;
    service.stopper.stop();
    service.ended().await;
}

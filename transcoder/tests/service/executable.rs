//! The executable as a process of Unix: its signals, and its socket.

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use super::command_line::{command, run, text};
use super::harness::{Client, PATIENCE};
use super::scratch::{Scratch, unix};
use xg2g_transcoder::service::Address;

async fn listening(socket: &Path) {
    while tokio::net::UnixStream::connect(socket).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
}

async fn ended(mut child: Child) -> (i32, String) {
    let begun = std::time::Instant::now();
    while child.try_wait().expect("a child").is_none() {
        assert!(begun.elapsed() < PATIENCE, "it ends");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let output = child.wait_with_output().expect("a child");
    (
        output.status.code().expect("no signal"),
        text(&output.stderr),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_the_environment_is_required_and_never_shown() {
    let scratch = Scratch::new("token");
    let socket = scratch.path("socket");
    let child = command(&["--listen", &unix(&socket), "--log-level", "trace"])
        .env("XG2G_TRANSCODER_TOKEN", "swordfish")
        .spawn()
        .expect("it starts");
    tokio::time::timeout(PATIENCE, listening(&socket))
        .await
        .expect("it listens");
    let mut client = Client::connect(&Address::Unix(socket)).await;
    assert_eq!(client.get("/v1").await.status, 401);
    signal(&child, "TERM");
    let (code, log) = ended(child).await;
    assert_eq!(code, 0, "{log}");
    assert!(!log.contains("swordfish"), "{log}");
    let help = command(&["--help"])
        .env("XG2G_TRANSCODER_TOKEN", "swordfish")
        .output()
        .expect("it runs");
    assert!(!text(&help.stdout).contains("swordfish"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_signal_waits_for_streams_and_the_second_does_not() {
    let scratch = Scratch::new("signals");
    let socket = scratch.path("socket");
    let child = command(&["--listen", &unix(&socket), "--shutdown-grace", "1h"])
        .spawn()
        .expect("it starts");
    tokio::time::timeout(PATIENCE, listening(&socket))
        .await
        .expect("it listens");
    let mut client = Client::connect(&Address::Unix(socket.clone())).await;
    client.open().await;
    signal(&child, "TERM");
    while client.get("/readyz").await.status != 503 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(client.get("/v1").await.json()["open_remuxers"], 1);
    signal(&child, "INT");
    let (code, log) = ended(child).await;
    assert_eq!(code, 0, "{log}");
    assert!(!socket.exists(), "the socket's file is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthcheck_says_whether_a_remuxer_can_be_opened() {
    let scratch = Scratch::new("health");
    let socket = scratch.path("socket");
    let listen = unix(&socket);
    let check = ["healthcheck", "--listen", &listen];
    assert_eq!(run(&check).status.code(), Some(1));
    let child = command(&["--listen", &listen, "--max-remuxers", "1"])
        .spawn()
        .expect("it starts");
    tokio::time::timeout(PATIENCE, listening(&socket))
        .await
        .expect("it listens");
    assert_eq!(run(&check).status.code(), Some(0));
    let by_variable = command(&["healthcheck"])
        .env("XG2G_TRANSCODER_LISTEN", &listen)
        .output()
        .expect("it runs");
    assert_eq!(by_variable.status.code(), Some(0));
    let mut client = Client::connect(&Address::Unix(socket)).await;
    client.open().await;
    let full = run(&check);
    assert_eq!(full.status.code(), Some(1));
    assert!(text(&full.stderr).contains("503"));
    signal(&child, "KILL");
    let _ = child.wait_with_output();
}

//! The executable: arguments, signals, the socket's file.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use super::harness::{Client, PATIENCE, Scratch, bind, unix};
use xg2g_transcoder::service::Address;

fn command(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xg2g-transcoder"));
    command
        .args(flags)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, _) in std::env::vars() {
        if name.starts_with("XG2G_TRANSCODER_") {
            command.env_remove(name);
        }
    }
    command
}

fn run(flags: &[&str]) -> Output {
    command(flags).output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

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

#[test]
fn the_version_names_the_codecs_and_the_help_shows_how_to_begin() {
    let version = text(&run(&["--version"]).stdout);
    for component in ["xg2g-transcoder ", "ffmpeg ", "fdk-aac "] {
        assert!(version.contains(component), "{version}");
    }
    let help = text(&run(&["--help"]).stdout);
    for word in [
        "curl -sT",
        "--token-file",
        "--advertise",
        "XG2G_TRANSCODER_TOKEN",
        "healthcheck",
    ] {
        assert!(help.contains(word), "{word} in {help}");
    }
}

#[test]
fn an_invalid_flag_is_one_line_with_the_fix() {
    let mistakes = [
        (vec!["--listen", "here"], "use an IP address and a port"),
        (vec!["--listen", "unix:"], "use unix:PATH"),
        (vec!["--max-remuxers", "0"], "--max-remuxers"),
        (vec!["--max-body", "1GB"], "512KiB"),
        (vec!["--idle-timeout", "soon"], "500ms, 30s, 2m"),
        (vec!["--advertise", "ftp://here"], "http://10.0.0.5:3000"),
        (vec!["--token-file", "/nonexistent"], "/nonexistent"),
        (
            vec!["--listen", "unix:/nonexistent/socket"],
            "/nonexistent/socket",
        ),
        (vec!["--listen", "192.0.2.1:1"], "192.0.2.1:1"),
        (vec!["--token", "swordfish"], "--token-file"),
    ];
    for (flags, hint) in mistakes {
        let output = run(&flags);
        let said = text(&output.stderr);
        assert!(!output.status.success(), "{flags:?}");
        assert!(said.contains(hint), "{flags:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_has_its_permissions_and_is_removed_at_the_end() {
    let scratch = Scratch::new("socket-mode");
    let socket = scratch.path("socket");
    let listen = unix(&socket);
    for (flags, expected) in [(vec![], 0o660), (vec!["--socket-mode", "600"], 0o600)] {
        let service = bind(&[&listen], &flags, None).await.expect("it binds");
        let mode = socket.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, expected);
        drop(service);
        assert!(!socket.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_was_left_behind_is_replaced_and_one_in_use_is_not() {
    let scratch = Scratch::new("socket-stale");
    let socket = scratch.path("socket");
    let listen = unix(&socket);
    drop(UnixListener::bind(&socket).expect("it binds"));
    assert!(socket.exists());
    let service = bind(&[&listen], &[], None)
        .await
        .expect("a stale one is replaced");

    let refused = bind(&[&listen], &[], None)
        .await
        .err()
        .expect("it is in use");
    assert!(refused.to_string().contains("in use"), "{refused}");
    drop(service);

    std::fs::write(&socket, "somebody's").expect("it can be written");
    let refused = bind(&[&listen], &[], None).await.err().expect("no socket");
    assert!(refused.to_string().contains("not a socket"), "{refused}");
    assert!(socket.exists());
}

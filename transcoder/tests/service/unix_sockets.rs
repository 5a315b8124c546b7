//! Unix sockets: their files, and streams over them.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::harness::{CLIP, Client, PATIENCE, Running, bind, converted};
use super::scratch::{Scratch, unix};
use super::viewer::Viewer;

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_stream_is_converted_alike_on_a_unix_socket_and_beside_it() {
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

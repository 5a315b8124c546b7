//! The executable's arguments: its help, and what it says of mistakes.

use std::process::{Command, Output, Stdio};

pub(crate) fn command(flags: &[&str]) -> Command {
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

pub(crate) fn run(flags: &[&str]) -> Output {
    command(flags).output().expect("it runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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
        (vec!["--max-remuxers", "0"], "--max-remuxers"),
        (vec!["--max-body", "1GB"], "512KiB"),
        (vec!["--idle-timeout", "soon"], "500ms, 30s, 2m"),
        (vec!["--advertise", "ftp://here"], "http://10.0.0.5:3000"),
        (vec!["--token-file", "/nonexistent"], "/nonexistent"),
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

#[cfg(unix)]
#[test]
fn an_invalid_socket_is_one_line_with_the_fix() {
    for (address, hint) in [
        ("unix:", "use unix:PATH"),
        ("unix:/nonexistent/socket", "/nonexistent/socket"),
    ] {
        let output = run(&["--listen", address]);
        let said = text(&output.stderr);
        assert!(!output.status.success(), "{address}");
        assert!(said.contains(hint), "{address}: {said}");
    }
}

#[cfg(windows)]
#[test]
fn a_unix_socket_is_refused_with_the_reason_and_the_fix() {
    let output = run(&["--listen", "unix:C:/xg2g.sock"]);
    let said = text(&output.stderr);
    assert!(!output.status.success());
    for word in ["not available on Windows", "0.0.0.0:3000"] {
        assert!(said.contains(word), "{said}");
    }
}

//! ffmpeg and ffprobe as judges of what was packaged.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// A file that is gone when the test is.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str, content: &[u8]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("xg2g-packaging-{}-{count}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).expect("a temporary file can be written");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Runs a program; none where it is not installed.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    let output = Command::new(program).args(arguments).output();
    if output.is_err() {
        eprintln!("skipped: no {program}");
    }
    output.ok()
}

/// A packet as ffprobe tells it, in ticks of the stream's time base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) pts: i64,
    pub(crate) dts: i64,
    pub(crate) is_key: bool,
}

/// The packets of a stream that have a time.
pub(crate) fn packets(path: &Path, stream: &str) -> Option<Vec<Packet>> {
    let path = path.to_str().expect("a plain path");
    let entries = "packet=pts,dts,flags";
    let arguments = ["-v", "quiet", "-select_streams", stream, "-show_entries"];
    let output = run(
        "ffprobe",
        &[&arguments[..], &[entries, "-of", "compact=p=0:nk=0", path]].concat(),
    )?;
    let text = String::from_utf8(output.stdout).expect("text");
    let packet = |line: &str| {
        let value = |name: &str| {
            let fields = line.split('|').filter_map(|field| field.split_once('='));
            let mut values = fields.filter(|(key, _)| *key == name);
            values.next().map(|(_, value)| value.trim())
        };
        let number = |name| value(name).and_then(|value| value.parse().ok());
        let pts = number("pts")?;
        Some(Packet {
            pts,
            dts: number("dts").unwrap_or(pts),
            is_key: value("flags").is_some_and(|flags| flags.contains('K')),
        })
    };
    Some(text.lines().filter_map(packet).collect())
}

/// What a decoder complains of.
pub(crate) fn complaints(path: &Path) -> Option<String> {
    let path = path.to_str().expect("a plain path");
    let output = run("ffmpeg", &["-v", "error", "-i", path, "-f", "null", "-"])?;
    Some(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A hash of each picture that a decoder shows, in order.
pub(crate) fn pictures(path: &Path) -> Option<Vec<String>> {
    let path = path.to_str().expect("a plain path");
    let output = run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-i",
            path,
            "-map",
            "0:v",
            "-vsync",
            "passthrough",
            "-f",
            "framemd5",
            "-",
        ],
    )?;
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let hash = |line: &str| line.rsplit(',').next().map(|hash| hash.trim().to_owned());
    Some(lines.filter_map(hash).collect())
}

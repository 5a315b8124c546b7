//! Captures of real broadcasts and the payload in them. The captures are not part
//! of the project: tests that use them say so and pass where they are absent.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::streams::Piece;
use xg2g_transcoder::ts::clock::Timestamp;

/// The folder of captures: `XG2G_CAPTURES`, or `../shared/ts` from the project's root.
pub(crate) fn capture(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("XG2G_CAPTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/ts"),
        PathBuf::from,
    );
    let path = folder.join(name);
    let exists = path.exists();
    if !exists {
        eprintln!("skipped: no capture {}", path.display());
    }
    exists.then_some(path)
}

/// The elementary stream of a PID in a file of 188-byte packets.
pub(crate) fn elementary_stream(path: &Path, pid: u16) -> Vec<Piece> {
    let file = std::fs::read(path).expect("the capture can be read");
    let start = (0..188)
        .find(|&at| (0..5).all(|n| file.get(at + 188 * n) == Some(&0x47)))
        .expect("a transport stream");
    let mut pieces = Vec::new();
    let mut next_counter = None;
    let mut in_pes = false;
    for packet in file[start..].chunks_exact(188) {
        let has_payload = packet[3] & 0x10 != 0;
        if u16::from_be_bytes([packet[1] & 0x1F, packet[2]]) != pid || !has_payload {
            continue;
        }
        let counter = packet[3] & 0x0F;
        if next_counter.is_some_and(|expected| expected != counter) {
            pieces.push(Piece::Loss);
        }
        next_counter = Some((counter + 1) % 16);
        let adaptation = if packet[3] & 0x20 != 0 {
            1 + usize::from(packet[4])
        } else {
            0
        };
        let Some(mut payload) = packet.get(4 + adaptation..) else {
            continue;
        };
        let mut pts = None;
        if packet[1] & 0x40 != 0 {
            in_pes = payload.starts_with(&[0, 0, 1]);
            if !in_pes {
                continue;
            }
            if payload[7] & 0x80 != 0 {
                let ticks = (u64::from(payload[9]) & 0x0E) << 29
                    | u64::from(payload[10]) << 22
                    | (u64::from(payload[11]) & 0xFE) << 14
                    | u64::from(payload[12]) << 7
                    | u64::from(payload[13]) >> 1;
                pts = Some(Timestamp::new(ticks));
            }
            payload = &payload[9 + usize::from(payload[8])..];
        }
        if in_pes {
            pieces.push(Piece::Payload(payload.to_vec(), pts));
        }
    }
    pieces
}

/// PTS and size of each packet that ffprobe finds on a PID; `None` without ffprobe.
pub(crate) fn ffprobe_packets(path: &Path, pid: u16) -> Option<Vec<(Option<u64>, usize)>> {
    let output = Command::new("ffprobe")
        .args(["-v", "quiet", "-select_streams", &format!("i:{pid:#x}")])
        .args(["-show_entries", "packet=pts,size", "-of", "csv=p=0"])
        .arg(path)
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: no ffprobe");
        return None;
    };
    let text = String::from_utf8(output.stdout).expect("text");
    let packets = text.lines().filter_map(|line| {
        let mut fields = line.trim_matches(',').split(',');
        let pts = fields.next()?.parse().ok();
        Some((pts, fields.next()?.parse().ok()?))
    });
    Some(packets.collect())
}

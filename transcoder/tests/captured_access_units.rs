//! The framer and the sniffer on real broadcasts, beside ffprobe.

mod captures;
mod streams;

use captures::{capture, elementary_stream, ffprobe_packets};
use streams::{Piece, split};
use xg2g_transcoder::audio::Codec;
use xg2g_transcoder::audio::sniff::{MAX_SNIFFED_BYTES, Sniffer, Verdict};

/// Sizes and PTS are those of ffprobe, which also gives the broken frames at the
/// two ends of a capture and times of its own to units without a PTS.
fn agrees_with_ffprobe(name: &str, pid: u16, codec: Codec) {
    let Some(path) = capture(name) else { return };
    let Some(mut theirs) = ffprobe_packets(&path, pid) else {
        return;
    };
    let units = split(codec, &elementary_stream(&path, pid));
    let ours: Vec<_> = units
        .iter()
        .map(|unit| (unit.pts_90k, unit.data.len()))
        .collect();
    let (first, last) = (ours[0].1, ours[ours.len() - 1].1);
    if theirs[0].1 != first {
        theirs[0].1 = first;
    }
    if theirs.len() == ours.len() + 1 && theirs[theirs.len() - 1].1 < last {
        theirs.pop();
    }
    assert_eq!(ours.len(), theirs.len(), "{name} {pid:#x}");
    for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(ours.1, theirs.1, "{name} {pid:#x}: size of unit {index}");
        if let (Some(ours), Some(theirs)) = (ours.0, theirs.0) {
            assert_eq!(
                ours,
                theirs % (1 << 33),
                "{name} {pid:#x}: PTS of unit {index}"
            );
        }
    }
    assert!(
        units.iter().all(|unit| !unit.after_loss),
        "{name} {pid:#x}: a loss in a clean capture"
    );
}

#[test]
fn mpeg_audio_that_straddles_pes_packets_is_split_as_ffprobe_does() {
    for pid in [0x28A, 0x28D, 0x2B6, 0x2BB] {
        agrees_with_ffprobe(
            "dvbt-it-mux-8prog-mp2-hevc-hbbtv.ts",
            pid,
            Codec::MpegLayer2,
        );
    }
    agrees_with_ffprobe(
        "dvbt-au-mpeg2v-mp2-latmAD-teletext.ts",
        0x90B,
        Codec::MpegLayer2,
    );
    agrees_with_ffprobe("mp2-audiotype3-AD.ts", 0x100, Codec::MpegLayer2);
    agrees_with_ffprobe(
        "dvb-h264-mp1a-dvbsub-from-t2mi.ts",
        0xBC4,
        Codec::MpegLayer2,
    );
}

#[test]
fn ac3_is_split_as_ffprobe_does() {
    agrees_with_ffprobe("ac3-51-640k-36s.ts", 0x101, Codec::Ac3);
    agrees_with_ffprobe("tnt-fr-2prog-ac3-dvbsub.ts", 0xDD, Codec::Ac3);
    agrees_with_ffprobe("tnt-fr-2prog-ac3-dvbsub.ts", 0x3FD, Codec::Ac3);
    agrees_with_ffprobe("h264-ac3-de-16s.ts", 0x101, Codec::Ac3);
    agrees_with_ffprobe("ac3-40.ts", 0x100, Codec::Ac3);
}

#[test]
fn eac3_with_and_without_dependent_substreams_is_split_as_ffprobe_does() {
    agrees_with_ffprobe("eac3-71-dependent-substream.ts", 0x100, Codec::Ac3);
    agrees_with_ffprobe("eac3-51-1536k.ts", 0x100, Codec::Eac3);
    agrees_with_ffprobe("eac3-joc-atmos.ts", 0x76C, Codec::Eac3);
    agrees_with_ffprobe("tnt-fr-eac3x3-dvbsub.ts", 0x82, Codec::Eac3);
}

#[test]
fn aac_is_split_as_ffprobe_does() {
    agrees_with_ffprobe(
        "dvbt-au-mpeg2v-mp2-latmAD-teletext.ts",
        0x96F,
        Codec::AacLatm,
    );
    agrees_with_ffprobe("latm-stereo-to-51-switch.ts", 0x100, Codec::AacLatm);
    agrees_with_ffprobe("heaac-51-latm.ts", 0x100, Codec::AacLatm);
    agrees_with_ffprobe("pts-wrap-aac-h264-10seg.ts", 0x102, Codec::AacAdts);
}

#[test]
fn a_dts_core_and_its_extension_are_one_unit_as_in_ffprobe() {
    agrees_with_ffprobe("dts-hd-ma.ts", 0x100, Codec::Dts);
}

#[test]
fn splices_between_channel_layouts_cost_the_cut_frames_alone() {
    let Some(path) = capture("ac3-51-20-51-switch.ts") else {
        return;
    };
    let units = split(Codec::Ac3, &elementary_stream(&path, 0x100));
    let sizes: Vec<usize> = units.iter().map(|unit| unit.data.len()).collect();
    let runs: Vec<(usize, usize)> = sizes
        .chunk_by(|a, b| a == b)
        .map(|run| (run[0], run.len()))
        .collect();
    assert_eq!(runs, [(1792, 55), (768, 130), (1792, 55)]);
}

#[test]
fn every_capture_s_audio_is_recognised_whatever_its_pmt_says() {
    for (name, pid, codec) in [
        ("pmtlie-aac-as-0x04-h264-12s.ts", 0x64, Codec::AacAdts),
        (
            "pmtlie-latm-as-0x0f-hevc-leadbyte.ts",
            0x552,
            Codec::AacLatm,
        ),
        ("atsc-dup-pid-mp2-and-ac3.ts", 0x34, Codec::Ac3),
        (
            "dvbt-it-mux-8prog-mp2-hevc-hbbtv.ts",
            0x2B6,
            Codec::MpegLayer2,
        ),
        (
            "dvbt-au-mpeg2v-mp2-latmAD-teletext.ts",
            0x90B,
            Codec::MpegLayer2,
        ),
        (
            "dvbt-au-mpeg2v-mp2-latmAD-teletext.ts",
            0x96F,
            Codec::AacLatm,
        ),
        ("tnt-fr-eac3x3-dvbsub.ts", 0x84, Codec::Eac3),
        ("tnt-fr-1prog-ac3-ccerr.ts", 0x3FD, Codec::Ac3),
        ("dts-hd-ma.ts", 0x100, Codec::Dts),
        ("heaacv2-ps-adts.ts", 0x100, Codec::AacAdts),
    ] {
        let Some(path) = capture(name) else { return };
        let pieces = elementary_stream(&path, pid);
        for declared in [None, Some(Codec::MpegLayer2), Some(Codec::Ac3), Some(codec)] {
            assert_eq!(
                sniff(declared, &pieces),
                Verdict::Found(codec),
                "{name}, {declared:?}"
            );
        }
    }
}

#[test]
fn what_is_no_audio_that_can_be_decoded_is_unknown() {
    for (name, pid) in [
        ("truehd-51.ts", 0x100),
        ("ac4.ts", 0x76C),
        ("teletext-only-nopsi.ts", 0x13F0),
        ("dvbt-au-mpeg2v-mp2-latmAD-teletext.ts", 0x90C),
        ("dvbt-au-mpeg2v-mp2-latmAD-teletext.ts", 0x90A),
        ("h264-ac3-de-16s.ts", 0x100),
        ("hevc-aac-scte35.ts", 0x79),
    ] {
        let Some(path) = capture(name) else { return };
        let pieces = elementary_stream(&path, pid);
        let payloads = pieces.iter().map(|piece| match piece {
            Piece::Payload(payload, _) => payload.len(),
            Piece::Loss => 0,
        });
        let expected = match payloads.sum::<usize>() {
            0 => panic!("{name}: nothing on PID {pid:#x}"),
            1..MAX_SNIFFED_BYTES => Verdict::NeedMore,
            _ => Verdict::Unknown,
        };
        for declared in [
            None,
            Some(Codec::MpegLayer2),
            Some(Codec::Ac3),
            Some(Codec::AacLatm),
        ] {
            assert_eq!(
                sniff(declared, &pieces),
                expected,
                "{name} {pid:#x}, {declared:?}"
            );
        }
    }
}

/// The verdict on a stream as the transport brings it.
fn sniff(declared: Option<Codec>, pieces: &[Piece]) -> Verdict {
    let mut sniffer = Sniffer::new(declared);
    for piece in pieces {
        match piece {
            Piece::Payload(payload, pts) => sniffer.push(payload, *pts),
            Piece::Loss => sniffer.lose(),
        }
        let verdict = sniffer.verdict();
        if verdict != Verdict::NeedMore {
            return verdict;
        }
    }
    Verdict::NeedMore
}

"""Every stand-in by the name of the capture that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.remux.stand_ins import faulty, single_tracks, television
from tests.remux.stand_ins.stand_in import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable

_MAKERS: dict[str, Callable[[], bytes]] = {
    "ac3-40": single_tracks.ac3_40,
    "ac3-51-20-51-switch": single_tracks.ac3_changes,
    "ac3-51-448k": single_tracks.ac3_51,
    "ac3-51-640k-36s": single_tracks.ac3_51_seldom_tables,
    "ac4": single_tracks.ac4,
    "atsc-dup-pid-mp2-and-ac3": faulty.one_pid_twice,
    "corrupt-capture-tei-crc-pcrjumps": faulty.no_good_pmt,
    "corrupt-fuzzed-twin-of-pmtlie": faulty.aac_as_mp2_fuzzed,
    "corrupt-lost-sync": faulty.sync_lost,
    "dts-hd-ma": single_tracks.dts,
    "dvb-fr-pmt-4xmp2-silent-teletext": television.silent_mp2,
    "dvb-h264-mp1a-dvbsub-from-t2mi": television.mono_mp2,
    "dvbsub-rs204": single_tracks.subtitles_204,
    "dvbt-au-mpeg2v-mp2-latmAD-teletext": television.australian,
    "dvbt-it-mux-8prog-mp2-hevc-hbbtv": television.italian_multiplex,
    "eac3-51-1536k": single_tracks.eac3_short_frames,
    "eac3-joc-atmos": single_tracks.eac3_objects,
    "h264-ac3-de-16s": single_tracks.ffmpeg_ac3,
    "h264-mp1a-10s": single_tracks.ffmpeg_mp2,
    "heaac-51-latm": single_tracks.heaac_51,
    "heaacv2-ps-adts": single_tracks.heaacv2_adts,
    "heaacv2-ps-latm": single_tracks.heaacv2_latm,
    "hevc-aac-scte35": television.silent_aac,
    "latm-stereo-to-51-switch": single_tracks.latm_changes,
    "middle-pat-pmt": faulty.tables_in_the_middle,
    "mp2-audiotype3-AD": single_tracks.description,
    "pmt-change-ac3x3-atsc": television.atsc_change,
    "pmtlie-aac-as-0x04-h264-12s": faulty.aac_as_mp2,
    "pmtlie-latm-as-0x0f-hevc-leadbyte": faulty.latm_as_adts,
    "pts-wrap-aac-h264-10seg": single_tracks.aac_over_the_wrap,
    "teletext-only-nopsi": faulty.no_tables,
    "tnt-fr-1prog-ac3-ccerr": television.one_packet_lost,
    "tnt-fr-2prog-ac3-dvbsub": television.two_programs,
    "tnt-fr-2prog-one-scrambled": television.two_programs_one_scrambled,
    "tnt-fr-eac3-lossy-6s": television.lossy_eac3,
    "tnt-fr-eac3x3-dvbsub": television.french_eac3,
    "tnt-fr-eac3x3-dvbsub-scrambled-csa": television.french_eac3_scrambled,
    "truehd-51": single_tracks.truehd,
}

STAND_INS = {name: StandIn(name, make) for name, make in _MAKERS.items()}
WITHOUT = {
    "eac3-71-dependent-substream": "no free encoder writes dependent substreams",
    "eac3-51-spx-256k": "no free encoder writes spectral extension",
}
"""Captures of a kind that cannot be made, and why."""

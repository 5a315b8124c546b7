"""Faults of the remuxer that are known and not yet mended: their tests are expected to
fail, and a test that passes again has to leave this list."""

import pytest

LATE_AFTER_LOSS = "audio held across a loss leaves after its PTS instead of being dropped"
STEP_BACK = "a step of 1 s back takes the audio for overlap and leaves out a second"
SCRAMBLED_HEAP = "what was held when scrambling was recognised leaves in one heap"
PTS_JITTER = "the time line follows every PTS that jitters by more than 0.3 ms"
RARE_PCR = "with a PCR each 170 ms or more audio waits too long for the clock"
HEAP = "packets of an access unit leave too close together"
BEFORE_PMT = "source audio before the first PMT leaves on the PID that becomes AAC"
FIRST_DTS = "the first packet of DTS leaves before its codec is known"
FIRST_UNIT = "the first access unit is less than 20 ms early"
VARIABLE_RATE = "the start of a variable-rate stream leaves too early"
LEFT_OVER = "source packets of a track that left the PMT break the continuity of its PID"

_FAULTS = "test_faults.py::test_"
_LOSS = _FAULTS + "sound_is_back_within_a_second_after_a_burst_loss"
_SCRAMBLED = _FAULTS + "audio_that_is_scrambled_for_a_while_is_clear_again_within_a_second"
_RECORDINGS = "test_recordings.py::test_"
_STRUCTURE = _RECORDINGS + "structure_has_no_error_that_the_source_did_not_have"
_LEAD = _RECORDINGS + "converted_tracks_have_the_promised_form_and_lead"
_FFMPEG = _RECORDINGS + "ffmpeg_decodes_the_sound_without_a_new_complaint"

KNOWN = {
    _FAULTS + "lost_packets_cost_their_own_frames_alone[0.05-ac3]": LATE_AFTER_LOSS,
    _LOSS + "[0.05-mp2]": LATE_AFTER_LOSS,
    _LOSS + "[2.0-mp2]": LATE_AFTER_LOSS,
    _LOSS + "[2.0-ac3]": LATE_AFTER_LOSS,
    _LOSS + "[2.0-eac3]": LATE_AFTER_LOSS,
    _LOSS + "[2.0-aac_latm]": LATE_AFTER_LOSS,
    _FAULTS + "a_jump_of_the_time_base_is_followed[marked--1]": STEP_BACK,
    _FAULTS + "a_jump_of_the_time_base_is_followed[unmarked--1]": STEP_BACK,
    _SCRAMBLED + "[mp2]": SCRAMBLED_HEAP,
    _SCRAMBLED + "[ac3]": SCRAMBLED_HEAP,
    _SCRAMBLED + "[eac3]": SCRAMBLED_HEAP,
    _SCRAMBLED + "[aac_latm]": SCRAMBLED_HEAP,
    _FAULTS + "jitter_of_the_source_pts_is_not_heard[2.0]": PTS_JITTER,
    _FAULTS + "pts_in_whole_milliseconds_are_not_heard": PTS_JITTER,
    "test_lies_and_damage.py::test_one_program_is_kept_alone_when_it_is_asked_for": HEAP,
    _STRUCTURE + "[dvbt-it-mux-8prog-mp2-hevc-hbbtv]": HEAP,
    _STRUCTURE + "[dts-hd-ma]": FIRST_DTS,
    _LEAD + "[dts-hd-ma]": FIRST_DTS,
    _FFMPEG + "[dts-hd-ma]": FIRST_DTS,
    _FFMPEG + "[dvb-h264-mp1a-dvbsub-from-t2mi]": BEFORE_PMT,
    _FFMPEG + "[dvbt-au-mpeg2v-mp2-latmAD-teletext]": BEFORE_PMT,
    _FFMPEG + "[dvbt-it-mux-8prog-mp2-hevc-hbbtv]": BEFORE_PMT,
    _LEAD + "[h264-ac3-de-16s]": VARIABLE_RATE,
    _LEAD + "[ac3-51-20-51-switch]": FIRST_UNIT,
    _LEAD + "[tnt-fr-1prog-ac3-ccerr]": FIRST_UNIT,
    _LEAD + "[tnt-fr-2prog-one-scrambled]": FIRST_UNIT,
    _STRUCTURE + "[heaac-51-latm]": RARE_PCR,
    _LEAD + "[heaac-51-latm]": RARE_PCR,
    _STRUCTURE + "[heaacv2-ps-latm]": RARE_PCR,
    _LEAD + "[heaacv2-ps-latm]": RARE_PCR,
    _STRUCTURE + "[latm-stereo-to-51-switch]": RARE_PCR,
    _LEAD + "[latm-stereo-to-51-switch]": RARE_PCR,
    _STRUCTURE + "[mp2-audiotype3-AD]": RARE_PCR,
    _LEAD + "[mp2-audiotype3-AD]": RARE_PCR,
    _STRUCTURE + "[tnt-fr-eac3-lossy-6s]": LATE_AFTER_LOSS,
    _LEAD + "[tnt-fr-eac3-lossy-6s]": LATE_AFTER_LOSS,
    _STRUCTURE + "[six-changes]": LEFT_OVER,
    _LEAD + "[six-changes]": LEFT_OVER,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        reason = KNOWN.get(item.nodeid.rpartition("/")[2])
        if reason:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))

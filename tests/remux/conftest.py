"""Faults of the remuxer that are known and not yet mended: their tests are expected to
fail, and a test that passes again has to leave this list."""

import pytest

HEAP = "packets of radio without video leave too close together by the position in the output"
FIRST_UNIT = "the first unit behind a splice is less than 20 ms early"
VARIABLE_RATE = (
    "a few units of a variable-rate stream lead by 16 ms: between PCRs the clock is a guess"
)
RARE_PCR = "with a PCR each 170 ms or more the clock of the first units is a guess"
EARLY_BY_A_HAIR = "one unit is 150.4 ms early where a PMT brings a track back"
ASTRIDE = "packets of PES packets that begin in mid-unit leave too close together now and then"
ENDED = "what is left of a track when a PMT ends it leaves at once"

_RECORDINGS = "test_recordings.py::test_"
_STRUCTURE = _RECORDINGS + "structure_has_no_error_that_the_source_did_not_have"
_LEAD = _RECORDINGS + "converted_tracks_have_the_promised_form_and_lead"

KNOWN = {
    "test_lies_and_damage.py::test_one_program_is_kept_alone_when_it_is_asked_for[captured]": HEAP,
    _LEAD + "[h264-ac3-de-16s]": VARIABLE_RATE,
    _LEAD + "[ac3-51-20-51-switch]": FIRST_UNIT,
    _LEAD + "[heaacv2-ps-latm]": RARE_PCR,
    _STRUCTURE + "[latm-stereo-to-51-switch]": RARE_PCR,
    _STRUCTURE + "[six-changes]": EARLY_BY_A_HAIR,
    _STRUCTURE + "[made dvbt-it-mux-8prog-mp2-hevc-hbbtv]": ASTRIDE,
    _STRUCTURE + "[made pmt-change-ac3x3-atsc]": ENDED,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        reason = KNOWN.get(item.nodeid.rpartition("/")[2])
        if reason:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))

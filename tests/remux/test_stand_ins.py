"""Every kind of stream that the captures show is shown by what every clone has."""

from __future__ import annotations

import pytest

from tests.remux.recordings import CAPTURES, CLIPS, Recording, recording
from tests.remux.stand_ins.kinds import KINDS, Kind
from tests.remux.stand_ins.made import STAND_INS, WITHOUT


def _name(kind: Kind) -> str:
    return kind.name


def _always_here(kind: Kind) -> list[Recording]:
    clips = [recording(CLIPS / f"{clip}.ts") for clip in kind.clips]
    return clips + [recording(STAND_INS[name]) for name in kind.captures if name in STAND_INS]


@pytest.mark.parametrize("kind", KINDS, ids=_name)
def test_a_kind_is_shown_by_streams_that_are_always_here(kind: Kind) -> None:
    tapes = _always_here(kind)
    assert tapes
    assert [tape.path.stem for tape in tapes if not kind.is_shown_by(tape)] == []


@pytest.mark.parametrize("kind", KINDS, ids=_name)
def test_a_kind_is_that_of_its_captures(kind: Kind) -> None:
    paths = [path for name in kind.captures if (path := CAPTURES / f"{name}.ts").exists()]
    if not paths:
        pytest.skip(f"no captures in {CAPTURES} (XG2G_CAPTURES names their folder)")
    assert [path.stem for path in paths if not kind.is_shown_by(recording(path))] == []


def test_every_capture_has_a_stand_in_and_a_kind_or_a_reason() -> None:
    of_kinds = {name for kind in KINDS for name in kind.captures}
    assert of_kinds <= STAND_INS.keys()
    assert not STAND_INS.keys() & WITHOUT.keys()
    assert {path.stem for path in CAPTURES.glob("*.ts")} <= STAND_INS.keys() | WITHOUT.keys()
    assert STAND_INS.keys() == of_kinds


def test_a_stand_in_is_the_same_in_every_run() -> None:
    for stand_in in (STAND_INS["tnt-fr-eac3-lossy-6s"], STAND_INS["corrupt-lost-sync"]):
        assert stand_in.make() == stand_in.make()

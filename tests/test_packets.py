"""MPEG-TS is parsed in Rust alone: Python that ships passes bytes on and never looks into them."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
SIMULATOR = ROOT / "xg2g" / "simulator"
OPENING = ROOT / "xg2g" / "streaming" / "opening"
"""Judges beginnings until viewers begin at the remuxer's points."""

ANSWERS = ROOT / "backends" / "xg2g_backends" / "external" / "points.py"
"""Refuses answers of a service whose tables are no packets, by their first byte."""

SYNC_BYTE, PID_MASK = 0x47, 0x1FFF


def _looks_into_packets(path: Path) -> bool:
    """Whether it names the sync byte, as a number or in bytes, or the mask of a PID."""
    constants = [
        node.value for node in ast.walk(ast.parse(path.read_text())) if type(node) is ast.Constant
    ]
    return any(
        (type(value) is int and value in (SYNC_BYTE, PID_MASK))
        or (type(value) is bytes and value.startswith(bytes([SYNC_BYTE])) and len(value) < 8)
        for value in constants
    )


def test_python_that_ships_does_not_look_into_packets() -> None:
    shipped = [*(ROOT / "xg2g").rglob("*.py"), *(ROOT / "backends").rglob("*.py")]
    looking = {path for path in shipped if _looks_into_packets(path)}
    assert any(path.is_relative_to(SIMULATOR) for path in looking)
    may = (SIMULATOR, OPENING, ANSWERS)
    assert {path for path in looking if not any(path.is_relative_to(it) for it in may)} == set()

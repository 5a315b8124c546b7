"""The example file is a valid file."""

import re
from pathlib import Path

import pytest

from xg2g.config import Settings, load
from xg2g.config.example import example
from xg2g.config.setting import settings_of


def test_the_example_sets_nothing_and_every_line_of_it_can_be_used(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(example())
    assert load(file=file, environment={}).places == {}
    used = re.sub(r"^  #(?=\w)", "  ", example(), flags=re.MULTILINE)
    file.write_text(re.sub(r"^  \w+_file:.*\n", "", used, flags=re.MULTILINE))
    file.chmod(0o600)
    configuration = load(file=file, environment={})
    assert set(configuration.places) == set(settings_of(Settings))
    assert configuration.notes == ()


AWKWARD = [
    "geheim",
    "0123",
    "#1",
    "*x",
    "null",
    "~",
    '"',
    "'",
    "\\",
    "ü€",
    "🛰",
    "%",
    "@",
    "`",
    "{a}",
]
AWKWARD += [
    "[a]",
    "!",
    "<<",
    "${A}b",
    "yes",
    "a:",
    "---",
    "a\x85b",
    " ",
    "\t",
    "a: b",
    "a #b",
    "- a",
]


@pytest.mark.parametrize("text", AWKWARD)
def test_chosen_values_are_read_back_unchanged(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.yaml"
    chosen = {"receiver.url": "http://box", "receiver.user": "root", "receiver.password": text}
    file.write_text(example(chosen | {"audio.tracks": ("deu", "eng")}))
    file.chmod(0o600)
    settings = load(file=file, environment={}).settings
    assert settings.receiver.password is not None
    assert settings.receiver.password.value == text
    assert settings.audio.tracks == ("deu", "eng")

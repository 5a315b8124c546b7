"""Settings files where access lists decide who can read them."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from xg2g.config import load, yaml_entries


@pytest.mark.parametrize(("system", "is_noted"), [("posix", True), ("nt", False)])
def test_a_file_that_all_can_read_is_noted_where_its_mode_tells(
    system: str, is_noted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_entries, "os", SimpleNamespace(name=system))
    file = tmp_path / "config.yaml"
    file.write_text("receiver: {user: root, password: secret}\n")
    file.chmod(0o644)
    notes = load(file=file, environment={}).notes
    assert any("run chmod 600" in note for note in notes) == is_noted

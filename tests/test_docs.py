"""The documentation names only what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_rooms import ORDER
from xg2g.config import Settings
from xg2g.config.environment import read_environment
from xg2g.config.setting import settings_of

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("requirements/*.md")])


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    relative = [target for target in targets if "://" not in target]
    assert [target for target in relative if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_picture_is_there(page: Path) -> None:
    pictures = re.findall(r'<img src="([^"]+)"', page.read_text())
    assert [each for each in pictures if not (page.parent / each).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_to_a_heading_leads_to_one(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", page.read_text())
    missing = [
        f"{target}#{anchor}"
        for target, anchor in targets
        if anchor not in _anchors((page.parent / target) if target else page)
    ]
    assert missing == []


def _anchors(page: Path) -> set[str]:
    """Names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def test_no_picture_lies_there_that_no_page_shows() -> None:
    text = "".join(page.read_text() for page in PAGES)
    pictures = [path.name for path in (ROOT / "docs" / "images").iterdir()]
    assert [name for name in pictures if f"images/{name}" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_verb_of_make_exists(page: Path) -> None:
    verbs = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    written = re.findall(r"(?:`|^)make(?: [A-Z]+=\S+)* ([a-z0-9]+)", page.read_text(), re.MULTILINE)
    assert set(written) - verbs == set()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_variable_that_is_named_is_one_that_is_read(page: Path) -> None:
    written = set(re.findall(r"\bXG2G_[A-Z0-9_]*[A-Z0-9]\b", page.read_text()))
    constants = (ROOT / "transcoder/include/xg2g_transcoder.h").read_text()
    variables = {name: "x" for name in written if name not in constants}
    notes = read_environment(variables, settings_of(Settings)).notes
    assert [note for note in notes if "is not a setting" in note] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for target in re.findall(r"\]\(([^)#\s]+\.md)[^)]*\)", page.read_text()):
            linked = (page.parent / target).resolve()
            if "://" not in target and linked not in reached and linked.exists():
                waiting.append(linked)
    docs = set(ROOT.glob("docs/**/*.md"))
    assert {_name(page) for page in docs - reached} == set()


NAMED_FILE = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/?)(?:`|<br>)")
"""A file or folder in a code span; one without a folder lies beside the one before it."""
FILE_ENDINGS = (".py", ".rs", ".ts", ".h", ".sh", ".yaml", "/")


def test_every_file_that_the_architecture_names_exists() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    named = [name for name in NAMED_FILE.findall(page) if name.endswith(FILE_ENDINGS)]
    assert len(named) > 60
    missing, folder = [], ROOT
    for name in named:
        places = (ROOT / name, ROOT / "backends" / name, folder / name)
        found = next((place for place in places if place.exists()), None)
        if found is None:
            missing.append(name)
        elif "/" in name:
            folder = found if found.is_dir() else found.parent
    assert missing == []


def test_the_architecture_lists_every_room_in_the_order_of_imports() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    tree = page.partition("```\nxg2g/ ")[2].partition("\nbackends/")[0]
    listed = [
        name
        for line in tree.splitlines()[1:]
        for name in re.findall(r"\b(\w+)/", line[: line.index("   ", 3)])
    ]
    rooms = {path.parent.name for path in ROOT.glob("xg2g/*/__init__.py")}
    assert set(listed) == rooms
    assert listed == [room for room in reversed(ORDER) if room in rooms]
    for line in tree.splitlines()[1:]:
        [room, *_] = re.findall(r"\b(\w+)/", line)
        for file in re.findall(r"\b\w+\.py\b|\b\w+/(?= )", line[21:]):
            assert (ROOT / "xg2g" / room / file).exists(), line


def test_each_way_through_the_architecture_has_at_most_ten_steps() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    ways = re.findall(r"^## The way of an? (\w+)\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in ways] == ["byte", "segment", "channel", "setting", "request"]
    for name, text in ways:
        assert 5 <= len(re.findall(r"^\d+\. ", text, re.MULTILINE)) <= 10, name

"""The page around the player: what is on, guide, search, small screens, keys, screen readers."""

import json
import re
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator

from tests.e2e.browser.tab import Tab
from tests.harness.house import House, until

AXE = Path(__file__).parents[3] / "page" / "node_modules" / "axe-core" / "axe.min.js"

PHONE = pytest.mark.parametrize("tab", [(360, 740)], indirect=True)

PLACES = ("", "#/guide", "#/status", "#/addresses", "#/search")

OTHER_TRANSPONDERS = (
    "Card One HD",
    "Card Three & Friends",
    "Late first byte (4 s)",
    "Stalls after 20 s",
    "Gaps in mid-packet",
    "Clock wraps after 15 s",
    "Announces a track that never comes",
    "Languages",
)
"""As many as the simulated receiver has tuners, each on a transponder of its own."""


def test_the_front_page_shows_channels_with_logos_and_what_is_on(tab: Tab) -> None:
    tab.open()
    entry = tab.channel("Card Two HD")
    tab.until(
        lambda: re.search(r"\d\d:\d\d", entry.inner_text()) is not None, "it says what comes next"
    )
    on_now = tab.house.get("/api/v1/now?limit=1000").json()["channels"]
    [shown] = [each for each in on_now if each["channel"] == tab.channel_id("Card Two HD")]
    assert shown["now"]["title"] in entry.inner_text()
    assert shown["next"]["title"] in entry.inner_text()
    logo = entry.locator("img")
    tab.until(lambda: bool(logo.evaluate("(img) => img.naturalWidth > 0")), "the logo is shown")


def test_the_guide_scrolls_through_the_day_and_its_channels(tab: Tab) -> None:
    tab.open("#/guide")
    grid = tab["guide-grid"]
    grid.wait_for()
    tab.until(lambda: grid.get_by_role("gridcell").count() > 5, "programmes are shown")
    before = grid.inner_text()
    grid.hover()
    tab.page.mouse.wheel(3000, 0)
    tab.until(lambda: grid.inner_text() != before, "later programmes are shown")
    tab.until(lambda: grid.get_by_role("gridcell").count() > 5, "programmes are shown there, too")
    tab.page.mouse.wheel(0, 3000)
    tab.until(lambda: "Picture Changes" in grid.inner_text(), "the last channels are shown")


def test_the_guide_stays_where_it_is_at_midnight_and_when_a_phone_is_turned(tab: Tab) -> None:
    tab.page.clock.install(time=datetime.now().replace(hour=23, minute=58))
    tab.open("#/guide")
    line = tab["guide-grid"].locator(".grid-now")
    line.wait_for()
    before = left_of(line)
    assert before > 0
    for _ in range(4):
        tab.page.clock.run_for(60_000)
    tab.until(lambda: tab["guide-grid"].get_by_role("row").count() > 0, "it is drawn anew")
    assert abs(left_of(line) - before) < 40
    tab.page.set_viewport_size({"width": 600, "height": 720})
    tab.page.clock.run_for(1000)
    tab.until(lambda: 0 < left_of(line) < 600, "now is in sight on a small screen, too")


def left_of(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["x"]


def test_the_guide_shows_where_the_keys_are_even_without_a_programme(tab: Tab) -> None:
    tab.open("#/guide")
    grid = tab["guide-grid"]
    tab.until(lambda: grid.get_by_role("gridcell").count() > 5, "programmes are shown")
    tab.page.keyboard.press("ArrowDown")
    # Left of the present programmes is what was never read, and some channels have no guide.
    for key in ("ArrowLeft", "ArrowLeft", *["ArrowDown"] * 12, "ArrowRight"):
        tab.page.keyboard.press(key)
        tab.until(
            lambda: bool(
                grid.evaluate(
                    """(grid) => {
                      const cell = document.getElementById(
                        grid.getAttribute("aria-activedescendant"));
                      return cell && getComputedStyle(cell).outlineStyle === "solid";
                    }"""
                )
            ),
            f"after {key} a cell is marked",
        )


def test_the_search_finds_channels_and_programmes_and_tunes(tab: Tab) -> None:
    tab.open()
    tab["search"].fill("languag")
    found = tab["results"].get_by_test_id(f"channel-{tab.channel_id('Languages')}")
    found.wait_for()
    tab["search"].fill("Flash & beep")
    tab.until(
        lambda: "Flash & beep" in tab["results"].inner_text(), "a programme is found by its title"
    )
    tab["search"].fill("languag")
    found.click()
    tab.see_pictures()


def test_a_channel_is_chosen_played_and_left_with_keys_alone(tab: Tab) -> None:
    tab.open()
    tab["channel-list"].wait_for()
    tab.page.keyboard.press("/")
    tab.page.keyboard.type("languag")
    found = tab["results"].get_by_test_id(f"channel-{tab.channel_id('Languages')}")
    found.wait_for()
    for _ in range(30):
        tab.page.keyboard.press("Tab")
        if found.evaluate("(link) => link === document.activeElement"):
            break
    tab.page.keyboard.press("Enter")
    tab.see_pictures()
    tab.hear(440)
    tab.page.keyboard.press("Space")
    tab.until(lambda: bool(tab.video("paused")), "space pauses")
    tab.page.keyboard.press("Escape")
    tab.until(lambda: tab["player"].count() == 0, "Escape ends it")


def test_with_arrows_alone_one_comes_from_the_picture_back_to_the_list(tab: Tab) -> None:
    tab.open()
    entry = tab.channel("Card Two HD")
    entry.focus()
    tab.page.keyboard.press("Enter")
    tab.until(lambda: tab["player"].count() == 1, "the player is there")
    tab.page.evaluate("history.back()")
    tab["now-playing"].wait_for(state="detached")
    tab.page.keyboard.press("ArrowDown")
    assert entry.evaluate("(link) => link === document.activeElement")
    assert tab.playing() == tab.channel_id("Card Two HD")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    tab.until(lambda: tab.playing() != tab.channel_id("Card Two HD"), "another channel is chosen")


def test_with_arrows_alone_one_searches_and_reaches_what_helps_in_trouble(tab: Tab) -> None:
    def is_focused(element: Locator) -> bool:
        return bool(element.evaluate("(each) => each === document.activeElement"))

    tab.expect_complaint(r"^406 .*/hls/")
    tab.open("#/search")
    tab["to-channels"].wait_for()
    tab.until(lambda: "Type a channel" in tab.page.inner_text("main"), "the channels are read")
    tab.page.keyboard.press("ArrowDown")
    assert is_focused(tab["search"])
    tab.page.keyboard.type("mpeg-2")
    found = tab["results"].get_by_test_id(f"channel-{tab.channel_id('MPEG-2')}")
    found.wait_for()
    tab.page.keyboard.press("ArrowDown")
    assert is_focused(found)
    tab.page.keyboard.press("Enter")
    tab["retry"].wait_for()
    tab.page.keyboard.press("Enter")
    assert is_focused(tab["retry"])
    tab.page.keyboard.press("ArrowRight")
    assert is_focused(tab["open-in-player"])


def test_escape_closes_the_signal_and_then_leaves_the_channel(tab: Tab) -> None:
    tab.open()
    tab.channel("Card Two HD").click()
    tab["player"].wait_for()
    tab.page.keyboard.press("i")
    tab["signal-panel"].wait_for()
    tab.page.keyboard.press("Escape")
    tab["signal-panel"].wait_for(state="detached")
    assert tab["player"].count() == 1
    tab.page.keyboard.press("Escape")
    tab["player"].wait_for(state="detached")


def test_escape_twice_within_a_frame_leaves_the_channel(tab: Tab) -> None:
    tab.open()
    tab.channel("Card Two HD").click()
    tab["player"].wait_for()
    tab.page.keyboard.press("i")
    tab["signal-panel"].wait_for()
    # The second one comes as soon as the first has closed the signal.
    tab.page.evaluate("""() => {
        const signal = document.querySelector("[data-testid=signal-panel]");
        const watcher = new MutationObserver(() => {
            if (signal.isConnected) return;
            watcher.disconnect();
            const escape = { key: "Escape", bubbles: true, cancelable: true };
            document.body.dispatchEvent(new KeyboardEvent("keydown", escape));
        });
        watcher.observe(document.body, { childList: true, subtree: true });
    }""")
    tab.page.keyboard.press("Escape")
    tab["player"].wait_for(state="detached")


def test_a_click_beside_a_programme_gives_the_focus_back(tab: Tab) -> None:
    tab.open()
    tab.channel("Card Two HD").click()
    programme = tab["now-playing"].get_by_role("button").first
    programme.focus()
    tab.page.keyboard.press("Enter")
    tab["programme"].wait_for()
    tab.page.mouse.click(2, 2)
    tab["programme"].wait_for(state="detached")
    assert programme.evaluate("(button) => button === document.activeElement")


def test_a_programme_that_is_looked_at_keeps_its_keys_from_the_player(tab: Tab) -> None:
    tab.open()
    tab.channel("Card Two HD").click()
    tab["now-playing"].get_by_role("button").first.click()
    tab["programme"].wait_for()
    tab.page.keyboard.press("i")
    tab.page.keyboard.press("Escape")
    tab["programme"].wait_for(state="detached")
    assert tab["signal-panel"].count() == 0
    assert tab.playing() == tab.channel_id("Card Two HD")


def test_what_plays_already_leaves_the_search_when_it_is_chosen(tab: Tab) -> None:
    tab.open()
    tab.channel("Card Two HD").click()
    # Opening a channel ends a search, and nobody types before it is open.
    tab["player"].wait_for()
    tab["search"].fill("card")
    tab["results"].get_by_test_id(f"channel-{tab.channel_id('Card Two HD')}").click()
    tab["results"].wait_for(state="detached")
    assert tab["search"].input_value() == ""
    assert tab.playing() == tab.channel_id("Card Two HD")


@PHONE
@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_wider_than_a_small_phone(tab: Tab, place: str) -> None:
    tab.open(place)
    tab.page.wait_for_load_state("networkidle")
    wide = tab.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]


@PHONE
def test_the_player_and_its_controls_fit_on_a_small_phone(tab: Tab) -> None:
    tab.open(f"#/channel/{tab.channel_id('Languages')}")
    tab.see_pictures()
    tab.page.mouse.move(180, 150)
    for control in ("pause", "live", "sound-menu", "fullscreen", "seek", "mute"):
        box = tab[control].bounding_box()
        assert box is not None, control
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360, (control, box)
        assert box["width"] >= 24 and box["height"] >= 24 or control == "seek", (control, box)
    wide = tab.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]


def test_who_uses_the_tuners_is_told_when_none_is_free(tab: Tab, home: House) -> None:
    tab.expect_complaint(r"^503 .*/hls/")
    with ExitStack() as clients:
        for name in OTHER_TRANSPONDERS:
            url = home.channels()[name]
            clients.enter_context(home.client("curl", "--silent", "--output", "/dev/null", url))
        until(lambda: home.tuners_in_use() == len(OTHER_TRANSPONDERS), "every tuner is in use")
        tab.open(f"#/channel/{tab.channel_id('Subtitles')}")
        tab.until(lambda: tab["error"].is_visible(), "the page says that no tuner is free")
        said = tab["error"].inner_text()
        assert "tuner" in said.lower()
        assert "Card One HD" in said
    # It comes by itself, or when it is asked to.
    until(lambda: home.tuners_in_use() < len(OTHER_TRANSPONDERS), "a tuner is free")
    if tab["retry"].is_visible():
        tab["retry"].click()
    tab.see_pictures()


def violations(tab: Tab) -> list[str]:
    """What axe-core finds, by rule and place."""
    tab.page.evaluate(AXE.read_text())
    found: dict[str, Any] = tab.page.evaluate(
        "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })"
    )
    return [
        f"{rule['id']}: {json.dumps([node['target'] for node in rule['nodes']][:3])}"
        for rule in found["violations"]
    ]


@pytest.mark.parametrize("place", PLACES)
def test_each_place_can_be_read_by_a_screen_reader(tab: Tab, place: str) -> None:
    tab.open(place)
    tab.page.wait_for_load_state("networkidle")
    assert violations(tab) == []


def test_the_player_can_be_read_by_a_screen_reader(tab: Tab) -> None:
    tab.open(f"#/channel/{tab.channel_id('Languages')}")
    tab.see_pictures()
    tab.page.mouse.move(180, 150)
    assert violations(tab) == []

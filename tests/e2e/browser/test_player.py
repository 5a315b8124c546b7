"""The player, as somebody sees and hears it."""

import time

import httpx
import pytest

from tests.e2e.browser.tab import Tab
from tests.harness.house import House, until

REWIND_S = 10
"""What a press of the rewind key goes back."""

STALLED_S = 20
"""What the player takes for a stall, where more may come."""


def test_a_click_on_a_channel_plays_its_picture_and_its_sound(tab: Tab) -> None:
    tab.open()
    tab.channel("Languages").click()
    tab.see_pictures()
    tab.hear(440)


def test_a_deep_link_plays_without_sound_until_somebody_asks_for_it(tab: Tab) -> None:
    tab.open(f"#/channel/{tab.channel_id('Card Two HD')}")
    tab.see_pictures()
    if tab["unmute"].is_visible():
        tab["unmute"].click()
    tab.hear(784)


def test_another_sound_track_is_heard_when_it_is_chosen(tab: Tab) -> None:
    tab.open()
    tab.channel("Languages").click()
    tab.hear(440)
    tab.choose("sound-menu", "English")
    tab.hear(880)
    tab.page.keyboard.press("a")
    tab.hear(1320)


def test_up_and_down_zap_and_a_number_tunes(tab: Tab) -> None:
    channels = tab.house.get("/api/v1/channels?limit=1000").json()["channels"]
    names = [channel["name"] for channel in channels]
    at = names.index("Card One HD")
    assert names[at + 1] == "Card Two HD"
    tab.open()
    tab.channel("Card One HD").click()
    tab.hear(880)
    tab.page.keyboard.press("ArrowUp")
    tab.until(lambda: tab.playing() == channels[at + 1]["id"], "the next channel plays")
    tab.see_pictures()
    tab.hear(784)
    tab.page.keyboard.press("ArrowDown")
    tab.until(lambda: tab.playing() == channels[at]["id"], "the channel before it plays")
    tab.see_pictures()
    tab.hear(880)
    languages = channels[names.index("Languages")]
    tab.page.keyboard.type(str(languages["number"]))
    tab.until(lambda: tab.playing() == languages["id"], "the channel with the number plays")
    tab.see_pictures()
    tab.hear(440)


def test_pause_holds_the_picture_and_the_programme_goes_on_from_there(tab: Tab) -> None:
    tab.open()
    tab.channel("Languages").click()
    tab.see_pictures()
    tab.page.keyboard.press("Space")
    tab.until(lambda: bool(tab.video("paused")), "the picture stands still")
    held_s = tab.time_s()
    tab.page.wait_for_timeout(3000)
    assert tab.time_s() == held_s
    tab.page.keyboard.press("Space")
    tab.until(lambda: tab.time_s() > held_s, "the picture moves")
    # Looked at several times a second: it went on from there.
    assert tab.time_s() < held_s + 3
    tab.see_pictures()


def test_rewind_shows_what_was_on_before_and_live_goes_back_to_the_edge(tab: Tab) -> None:
    tab.open()
    tab.channel("Languages").click()
    tab.see_pictures()
    tab.until(lambda: tab.window_s() > REWIND_S + 4, "there is something to go back to")
    edge_s = tab.time_s()
    tab.page.keyboard.press("ArrowLeft")
    tab.until(lambda: tab.time_s() < edge_s - REWIND_S / 2, "the position went back")
    tab.see_pictures()
    tab.hear(440)
    tab.page.keyboard.press("l")
    tab.until(lambda: tab.time_s() > edge_s, "the position is at the edge again")
    tab.see_pictures()

    def is_live() -> bool:
        if tab["live"].get_attribute("aria-pressed") == "true":
            return True
        # A busy machine has fallen behind again.
        tab.page.keyboard.press("l")
        return False

    tab.until(is_live, "it says that it is live")


def test_text_subtitles_are_shown_when_they_are_chosen(tab: Tab) -> None:
    tab.open()
    tab.channel("Subtitles").click()
    tab.see_pictures()
    assert tab["subtitles"].inner_text() == ""
    tab.choose("subtitle-menu", "text:", "German")
    tab.until(lambda: "Seite 888: äöü ÄÖÜ ß" in tab["subtitles"].inner_text(), "a text is shown")


def test_subtitles_give_way_to_the_controls(tab: Tab) -> None:
    tab.open()
    tab.channel("Subtitles").click()
    tab.see_pictures()
    tab.choose("subtitle-menu", "text:", "German")

    def is_paused_with_text() -> bool:
        """Pause while a text is shown; play on if it ended before the pause."""
        tab.until(lambda: "Seite 888" in tab["subtitles"].inner_text(), "a text is shown")
        tab.page.keyboard.press("Space")
        tab.until(lambda: bool(tab.video("paused")), "it is paused")
        if "Seite 888" in tab["subtitles"].inner_text():
            return True
        tab.page.keyboard.press("Space")
        tab.until(lambda: not tab.video("paused"), "it plays")
        return False

    # The controls stay while it is paused.
    tab.until(is_paused_with_text, "it is paused while a text is shown")
    bar = tab["seek"].bounding_box()
    text = tab["subtitles"].locator("span").last.bounding_box()
    assert bar is not None and text is not None
    assert text["y"] + text["height"] <= bar["y"] + bar["height"] / 2


def test_image_subtitles_are_drawn_over_the_picture_when_they_are_chosen(tab: Tab) -> None:
    tab.open()
    tab.channel("Subtitles").click()
    tab.see_pictures()
    assert tab.drawn("subtitle-images") == 0
    tab.choose("subtitle-menu", "images:")
    tab.until(lambda: tab.drawn("subtitle-images") > 500, "an image is drawn")
    tab.until(lambda: tab.drawn("subtitle-images") == 0, "the image leaves again")


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        ("Scrambled", "scrambled"),
        ("MPEG-2", "MPEG-2"),
    ],
)
def test_a_channel_that_cannot_play_says_why(tab: Tab, channel: str, says: str) -> None:
    tab.expect_complaint(r"/hls/.*")
    tab.open()
    tab.channel(channel).click()
    tab.until(lambda: tab["error"].is_visible(), "the page says that it does not play")
    assert says.lower() in tab["error"].inner_text().lower()


def test_a_link_to_a_channel_that_no_longer_exists_says_so(tab: Tab) -> None:
    tab.open("#/channel/1_0_19_DEAD_1_1_C00000_0_0_0")
    tab.until(lambda: tab["error"].is_visible(), "the page says what is wrong")
    assert "no longer exists" in tab["error"].inner_text()
    tab.channel("Languages").click()
    tab.see_pictures()
    assert tab["error"].count() == 0


def test_a_stream_that_was_ended_is_opened_again_without_a_wait_for_more(tab: Tab) -> None:
    tab.open()
    tab.channel("Languages").click()
    tab.see_pictures()
    [stream] = tab.house.get("/api/v1/streams").json()["streams"]
    ended = time.monotonic()
    # Without a token, only the daemon's own computer may end a stream: ask over the loopback.
    loopback = httpx.URL(tab.house.url).copy_with(host="127.0.0.1")
    httpx.delete(
        loopback.join(f"/api/v1/streams/{stream['id']}"), trust_env=False
    ).raise_for_status()

    def comes_back() -> bool:
        streams = tab.house.get("/api/v1/streams").json()["streams"]
        return any(each["id"] != stream["id"] for each in streams)

    tab.until(comes_back, "it is opened again")
    assert time.monotonic() - ended < STALLED_S
    tab.see_pictures()


def test_radio_is_heard(tab: Tab) -> None:
    tab.open()
    tab.channel("Radio Four").click()
    tab.hear(831)


def test_nothing_is_left_when_the_tab_is_closed(tab: Tab, home: House) -> None:
    tab.open()
    tab.channel("Languages").click()
    tab.see_pictures()
    assert home.watching() == 1
    tab.leave()
    until(lambda: home.watching() == 0, "nobody watches")
    until(lambda: home.tuners_in_use() == 0, "the tuner is free")

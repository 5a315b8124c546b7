"""What somebody sees of the page in Chromium: lip-sync, first picture, zapping, delay. Nothing is
asserted: the figures are printed.

    python -m tests.load.playback [--rounds 5] [--seconds 30]
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Route, sync_playwright

from tests.e2e.browser.launching import Launcher, sound_card
from tests.e2e.browser.tab import Tab
from tests.harness.house import House, house, until

ROOT = Path(__file__).parents[3]
MEASURING = Path(__file__).with_name("measuring.js")
HLS_JS = ROOT / "page" / "node_modules" / "hls.js" / "dist" / "hls.min.js"

NEAR_MS = 500
"""Flash and beep of one second: the next ones are a second away."""

DELAY_PAGE = """<!doctype html><video muted></video><script src="/bench/hls.js"></script>"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        house(Path(folder)) as home,
        sound_card(Path(folder)) as environment,
        sync_playwright() as driver,
    ):
        browser = Launcher(driver, environment).start("chromium")
        differences = lip_sync(browser, home, options.seconds)
        say("beep behind flash, ms (a screen of 60 Hz: steps of 16.7)", differences)
        say("first picture after the click, cold, ms", cold(browser, home, options.rounds))
        say("first picture after the click, running, ms", running(browser, home, options.rounds))
        say("first picture after a zap, cold, ms", zaps(browser, home, options.rounds))
        for is_low, name in ((True, "LL-HLS"), (False, "HLS")):
            say(f"{name}: behind the broadcast, s", delays(browser, home, options.rounds, is_low))
        browser.close()


def say(what: str, values: Sequence[float]) -> None:
    if not values:
        sys.stdout.write(f"{what}: nothing was measured\n")
        return
    sys.stdout.write(
        f"{what}: median {statistics.median(values):.1f}, {min(values):.1f} to {max(values):.1f}"
        f" ({len(values)})\n"
    )
    sys.stdout.flush()


def opened(browser: Browser, home: House) -> Tab:
    # Measuring needs an AudioWorklet, which the page's policy has no room for.
    tab = Tab(browser.new_context(bypass_csp=True).new_page(), home)
    tab.page.add_init_script(path=MEASURING)
    return tab


def close(tab: Tab) -> None:
    """Leave nothing that the next measurement could use."""
    tab.page.context.close()
    until(lambda: tab.house.tuners_in_use() == 0, "the tuner is free")


def lip_sync(browser: Browser, home: House, seconds: int) -> list[float]:
    tab = opened(browser, home)
    tab.open()
    tab.channel("Lip Sync").click()
    tab.see_pictures(100)
    found = tab.page.evaluate(f"measuring.flashesAndBeeps({seconds})")
    close(tab)
    flashes, beeps = found["flashes"], found["beeps"]
    nearest = (min(beeps, key=lambda beep: abs(beep - flash), default=0) for flash in flashes)
    differences = [beep - flash for beep, flash in zip(nearest, flashes, strict=True)]
    return [difference for difference in differences if abs(difference) < NEAR_MS]


def first_picture_ms(tab: Tab) -> float:
    """From the player's call to tune until the first picture of the channel was on the screen."""
    shown = "document.querySelector('[data-testid=player]')?.dataset.firstPictureMs"
    tab.page.wait_for_function(f"{shown} !== undefined")
    return float(tab.page.evaluate(shown))


def cold(browser: Browser, home: House, rounds: int) -> list[float]:
    found = []
    for _ in range(rounds):
        tab = opened(browser, home)
        tab.open()
        tab.channel("Languages").click()
        found.append(first_picture_ms(tab))
        close(tab)
    return found


def running(browser: Browser, home: House, rounds: int) -> list[float]:
    first = opened(browser, home)
    first.open()
    first.channel("Languages").click()
    first.see_pictures(200)
    found = []
    for _ in range(rounds):
        tab = opened(browser, home)
        tab.open()
        tab.channel("Languages").click()
        found.append(first_picture_ms(tab))
        tab.page.context.close()
    close(first)
    return found


def zaps(browser: Browser, home: House, rounds: int) -> list[float]:
    tab = opened(browser, home)
    tab.open()
    tab.channel("Languages").click()
    first_picture_ms(tab)
    found = []
    for i in range(rounds):
        before = tab.playing()
        tab.page.keyboard.press("ArrowUp" if i % 2 == 0 else "ArrowDown")
        tab.until(lambda before=before: tab.playing() != before, "another channel plays")  # type: ignore[misc]
        found.append(first_picture_ms(tab))
        tab.see_pictures(50)
    close(tab)
    return found


def delays(browser: Browser, home: House, rounds: int, is_low: bool) -> list[float]:
    """By EXT-X-PROGRAM-DATE-TIME: from when the gateway got a picture until it is on the screen."""
    tab = opened(browser, home)

    def serve(route: Route) -> None:
        if route.request.url.endswith(".js"):
            route.fulfill(path=HLS_JS, content_type="text/javascript")
        else:
            route.fulfill(body=DELAY_PAGE, content_type="text/html")

    tab.page.route("**/bench/**", serve)
    tab.page.goto(f"{home.url}/bench/")
    url = f"{home.url}/hls/{tab.channel_id('Languages')}/index.m3u8"
    tab.page.evaluate(
        f"""() => {{
          window.hls = new Hls({{ lowLatencyMode: {str(is_low).lower()} }});
          hls.loadSource("{url}");
          hls.attachMedia(document.querySelector("video"));
          return document.querySelector("video").play();
        }}"""
    )
    # Playback has found its distance to the edge by then.
    tab.page.wait_for_timeout(15_000)
    found = []
    for _ in range(rounds):
        found.append(float(tab.page.evaluate("(Date.now() - hls.playingDate.getTime()) / 1000")))
        tab.page.wait_for_timeout(1000)
    close(tab)
    return found


if __name__ == "__main__":
    main()

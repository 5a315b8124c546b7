"""The witness notices what is wrong with a page: it is tried with pages made for that."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser.tab import BEEP_LEVEL, Tab
from tests.harness.house import House
from xg2g_backends.base import RemuxOptions
from xg2g_backends.embedded.shared_library import Library, library_path
from xg2g_backends.packaging import Header, Packager, Part

CLIP = Path(__file__).parents[3] / "xg2g" / "simulator" / "clips" / "one-hd.ts"

PAGE = """<!doctype html><link rel="icon" href="data:,"><script src="play.js"></script>
<video data-testid="video"></video><button data-testid="play">Play</button>
"""

PLAY = """
async function fill(buffer, file) {
  buffer.appendBuffer(await (await fetch(file)).arrayBuffer());
  await new Promise((done) => buffer.addEventListener("updateend", done));
}
addEventListener("DOMContentLoaded", () => {
  const video = document.querySelector("video");
  const media = new MediaSource();
  video.src = URL.createObjectURL(media);
  media.addEventListener("sourceopen", async () => {
    const picture = media.addSourceBuffer('video/mp4; codecs="avc1.640020"');
    const sound = media.addSourceBuffer('audio/mp4; codecs="mp4a.40.2"');
    await fill(picture, "video.mp4");
    await fill(sound, "sound-258.mp4");
    video.currentTime = picture.buffered.start(0) + 0.1;
  });
  document.querySelector("button").onclick = () => video.play();
});
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        policy = "default-src 'self'; media-src blob:; img-src 'self' data: http:"
        self.send_header("Content-Security-Policy", policy)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("site")
    library = Library(library_path())
    handle = library.open(RemuxOptions())
    stream = library.process(handle, CLIP.read_bytes()) + library.finish(handle)
    library.free(handle)
    with Packager() as packager:
        events = packager.process(stream) + packager.finish()
    for header in [event for event in events if isinstance(event, Header)]:
        parts = (e.data for e in events if isinstance(e, Part) and e.rendition == header.rendition)
        (folder / f"{header.rendition}.mp4").write_bytes(header.data + b"".join(parts))
    (folder / "index.html").write_text(PAGE)
    (folder / "play.js").write_text(PLAY)
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield House(f"http://127.0.0.1:{server.server_port}", folder)
        server.shutdown()


@pytest.fixture
def tab(browser: Browser, site: House) -> Iterator[Tab]:
    context = browser.new_context()
    yield Tab(context.new_page(), site)
    context.close()


def test_pictures_that_move_and_a_tone_are_seen_and_heard(tab: Tab) -> None:
    tab.open("index.html")
    tab["play"].click()
    tab.see_pictures()
    tab.hear(880)
    tab.check()


def test_a_muted_element_is_not_heard(tab: Tab) -> None:
    tab.open("index.html")
    tab["play"].click()
    tab.page.evaluate("document.querySelector('video').muted = true")
    tab.see_pictures()
    assert tab.listen().level < BEEP_LEVEL / 10


@pytest.mark.parametrize(
    "fault",
    [
        "console.error('fault')",
        "setTimeout(() => { throw new Error('fault'); })",
        "Promise.reject(new Error('fault'))",
        "fetch('none')",
        "document.body.setAttribute('style', 'color: red')",
        "new Image().src = 'http://192.0.2.1/'",
    ],
)
def test_a_complaint_of_the_browser_and_a_request_to_another_host_fail_a_test(
    tab: Tab, site: House, fault: str
) -> None:
    tab.open("index.html")
    tab.check()
    tab.page.evaluate(f"() => {{ {fault}; }}")
    tab.until(lambda: bool(tab.complaints or tab.foreign), "the fault is told")
    with pytest.raises(AssertionError):
        tab.check()

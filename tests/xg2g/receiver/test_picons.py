"""Channel logos from the receiver."""

import httpx
import pytest

from xg2g.receiver.address import ReceiverAddress
from xg2g.receiver.errors import UnexpectedAnswerError
from xg2g.receiver.openwebif import ListedService, OpenWebif, Picon, RequestPolicy
from xg2g.receiver.service_reference import ServiceReference

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
REFERENCE = "4097:0:19:283D:3FB:1:C00012:0:0:0:"


def service(name: str = "Das Erste & Mehr+ HD", picon: str = "") -> ListedService:
    return ListedService(ServiceReference.parse(REFERENCE), REFERENCE, name, picon)


class Box:
    """Has these files, and remembers what it was asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        content = self.files.get(request.url.path)
        if content is None:
            return httpx.Response(404, html="No Such Resource")
        headers = {"Last-Modified": "Mon, 23 Nov 2026 20:00:00 GMT"}
        if request.headers.get("If-Modified-Since") == headers["Last-Modified"]:
            return httpx.Response(304)
        return httpx.Response(200, content=content, headers=headers)

    async def picon(self, service: ListedService, known: Picon | None = None) -> Picon | None:
        web = OpenWebif(
            ReceiverAddress.parse("http://box"),
            connect_timeout_s=5,
            answer_timeout_s=5,
            policy=RequestPolicy(spacing_s=0),
            transport=httpx.MockTransport(self),
        )
        async with web:
            return await web.picon(service, known=known)


async def test_paths_are_tried_from_the_whole_reference_to_the_services_name() -> None:
    box = Box({})
    assert await box.picon(service()) is None
    assert box.asked == [
        "/picon/4097_0_19_283D_3FB_1_C00012_0_0_0.png",
        "/picon/4097_0_19_283D_3FB_1_C00000_0_0_0.png",
        "/picon/1_0_19_283D_3FB_1_C00000_0_0_0.png",
        "/picon/1_0_1_283D_3FB_1_C00000_0_0_0.png",
        "/picon/dasersteandmehrplushd.png",
        "/picon/dasersteandmehrplus.png",
    ]


async def test_the_first_path_that_exists_is_the_picon() -> None:
    path = "/picon/1_0_19_283D_3FB_1_C00000_0_0_0.png"
    box = Box({path: PNG, "/picon/dasersteandmehrplus.png": b"another"})
    picon = await box.picon(service())
    assert picon is not None
    assert (picon.path, picon.png) == (path.lstrip("/"), PNG)


async def test_a_path_that_the_receiver_named_is_the_only_one_requested() -> None:
    box = Box({"/picon/x.png": PNG})
    assert await box.picon(service(picon="/picon/x.png")) is not None
    assert await box.picon(service(picon="/picon/gone.png")) is None
    assert box.asked == ["/picon/x.png", "/picon/gone.png"]


@pytest.mark.parametrize("path", ["/images/default_picon.png", "/picon/../etc/passwd", "http://x"])
async def test_a_default_picture_is_not_a_picon_and_nothing_else_is_fetched(path: str) -> None:
    box = Box({path: PNG})
    assert await box.picon(service(picon=path)) is None
    assert box.asked == []


async def test_an_unchanged_picon_is_not_sent_again() -> None:
    box = Box({"/picon/x.png": PNG})
    first = await box.picon(service(picon="/picon/x.png"))
    assert await box.picon(service(picon="/picon/x.png"), known=first) is first


async def test_only_a_png_is_a_picon() -> None:
    assert await Box({"/picon/x.png": b"<html>"}).picon(service(picon="/picon/x.png")) is None


async def test_a_picon_of_absurd_size_is_refused() -> None:
    box = Box({"/picon/x.png": PNG + bytes(3_000_000)})
    with pytest.raises(UnexpectedAnswerError):
        await box.picon(service(picon="/picon/x.png"))

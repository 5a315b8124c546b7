"""The client of the receiver's web interface."""

import asyncio
import json
from collections.abc import Callable, Coroutine

import httpx
import pytest

from xg2g.receiver.address import ReceiverAddress
from xg2g.receiver.errors import (
    CredentialsError,
    ReceiverError,
    TimeLimitError,
    UnexpectedAnswerError,
    UnreachableError,
)
from xg2g.receiver.openwebif import RADIO, OpenWebif

pytestmark = pytest.mark.anyio

Handler = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


def favourites(name: str = "favourites") -> str:
    return f'1:7:1:0:0:0:0:0:0:0:FROM BOUQUET "userbouquet.{name}.tv" ORDER BY bouquet'


def receiver(
    handler: Handler | Callable[[httpx.Request], httpx.Response],
    url: str = "http://user:secret@box",
    answer_timeout_s: float = 5,
) -> OpenWebif:
    return OpenWebif(
        ReceiverAddress.parse(url),
        connect_timeout_s=5,
        answer_timeout_s=answer_timeout_s,
        transport=httpx.MockTransport(handler),
    )


class Box:
    """Answers as OpenWebif does, for these bouquets."""

    def __init__(self, bouquets: dict[str, list[tuple[str, str]]], top: list[str]) -> None:
        self.bouquets = bouquets
        self.top = top
        self.requests: list[httpx.Request] = []
        self.at_once = 0
        self.most_at_once = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return httpx.Response(200, json=self.answer(request), headers={"Set-Cookie": "T=1"})

    def answer(self, request: httpx.Request) -> object:
        query = request.url.params
        match request.url.path:
            case "/api/bouquets":
                top = [] if query.get("stype") == RADIO else self.top
                return {"bouquets": [[favourites(name), name] for name in top]}
            case "/api/getservices":
                name = query["sRef"].split(".")[1]
                services = [
                    {"pos": 1, "servicename": title, "servicereference": reference}
                    for reference, title in self.bouquets[name]
                ]
                return {"result": True, "services": services}
        raise AssertionError(request.url)


async def test_requests_go_one_at_a_time_in_one_session_and_with_credentials() -> None:
    box = Box({"a": []}, top=["a"])
    web = receiver(box)
    await asyncio.gather(*(web.bouquets() for _ in range(5)))
    assert box.most_at_once == 1
    assert all("Authorization" in request.headers for request in box.requests)
    assert [request.headers.get("Cookie") for request in box.requests[1:]] == ["T=1"] * 4


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(401), CredentialsError),
        (httpx.Response(403, html="403.6 IP address rejected"), CredentialsError),
        (httpx.Response(500, html="Processing Failed"), UnexpectedAnswerError),
        (httpx.Response(404, html="no such page"), UnexpectedAnswerError),
        (httpx.Response(200, html="<html>a router</html>"), UnexpectedAnswerError),
        (httpx.Response(200, json=[]), UnexpectedAnswerError),
        (httpx.Response(200, json={"result": False, "message": "no"}), UnexpectedAnswerError),
        (httpx.Response(200, content=b'{"bouquets": [' + b" " * 17_000_000), UnexpectedAnswerError),
    ],
)
async def test_an_answer_without_bouquets_is_one_kind_of_error(
    answer: httpx.Response, kind: type[ReceiverError]
) -> None:
    with pytest.raises(kind) as raised:
        await receiver(lambda _: answer).bouquets()
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_a_receiver_that_takes_too_long_for_the_whole_answer_ends_at_the_deadline() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(TimeLimitError):
        await receiver(never, answer_timeout_s=0.05).bouquets()


async def test_a_closed_port_is_unreachable_and_the_error_hides_the_password() -> None:
    async def listener(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None: ...

    server = await asyncio.start_server(listener, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    address = ReceiverAddress.parse(f"http://user:secret@127.0.0.1:{port}")
    async with OpenWebif(address, connect_timeout_s=5, answer_timeout_s=5) as web:
        with pytest.raises(UnreachableError, match=f"127.0.0.1:{port}") as raised:
            await web.bouquets()
    assert "secret" not in str(raised.value)


async def test_names_may_hold_whatever_the_receiver_found() -> None:
    answer = {
        "result": True,
        "services": [{"servicename": None, "servicereference": "1:0:1:1:1:1:0:0:0:0:"}, 7],
    }
    top = {"bouquets": [[favourites(), "a"], ["broken"], None]}

    def handler(request: httpx.Request) -> httpx.Response:
        body = answer if "sRef" in request.url.params else top
        return httpx.Response(200, content=json.dumps(body))

    web = receiver(handler)
    (bouquet,) = await web.bouquets()
    (service,) = await web.services(bouquet)
    assert service.name == ""

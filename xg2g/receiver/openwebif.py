"""OpenWebif, the web interface of an Enigma2 receiver.

One request at a time: a single thread of the receiver serves the television's screen and every
web request, and parallel requests make both crawl.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import httpx

from .address import ReceiverAddress
from .errors import (
    CredentialsError,
    ReceiverError,
    TimeLimitError,
    UnexpectedAnswerError,
    UnreachableError,
)
from .service_reference import ServiceReference

T = TypeVar("T")

TELEVISION = "tv"
RADIO = "radio"

_ANSWER_LIMIT_BYTES = 16 * 1024 * 1024
"""A bouquet of 10,000 services is 2 MB; no answer that is asked for here comes near this."""


@dataclass(frozen=True, slots=True)
class ListedService:
    """One entry of a list that the receiver gave out: a service, bouquet or marker."""

    reference: ServiceReference
    raw_reference: str
    """Exactly as the receiver wrote it. Only such text may be sent back: a bouquet reference with
    an error in it makes Enigma2 list its whole database, or abort."""
    name: str


@dataclass(frozen=True, slots=True)
class About:
    """What the receiver says it is."""

    brand: str
    model: str
    web_interface_version: str


class OpenWebif:
    """Asks one receiver. An async context manager; leaving it closes the connection.

    Methods raise the errors of `xg2g.receiver.errors` and nothing else.
    """

    def __init__(
        self,
        address: ReceiverAddress,
        *,
        connect_timeout_s: float,
        answer_timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._address = address
        credentials = address.credentials
        # The client's cookie jar matters: without its cookie each request makes a new session,
        # which the receiver keeps for 15 minutes.
        self._client = httpx.AsyncClient(
            base_url=f"{address.url}/",
            auth=httpx.BasicAuth(credentials.user, credentials.password) if credentials else None,
            timeout=httpx.Timeout(answer_timeout_s, connect=connect_timeout_s),
            limits=httpx.Limits(max_connections=1),
            headers={"User-Agent": "xg2g"},
            # A receiver's certificate is its own, and names nobody.
            verify=False,
            trust_env=False,
            transport=transport,
        )
        self._answer_timeout_s = answer_timeout_s
        self._turn = asyncio.Lock()

    async def about(self) -> About:
        """Ask what the receiver is. Heavy for the receiver: once at start, not in a loop."""
        info = await self._get("about", "info", dict)
        return About(
            brand=str(info.get("brand") or ""),
            model=str(info.get("model") or info.get("boxtype") or ""),
            web_interface_version=str(info.get("webifver") or ""),
        )

    async def bouquets(self, kind: str = TELEVISION) -> list[ListedService]:
        """List the receiver's top bouquets of `TELEVISION` or `RADIO`, in its order."""
        bouquets: list[ListedService] = []
        for entry in await self._get("bouquets", "bouquets", list, stype=kind):
            match entry:
                case [str(reference), str(name), *_]:
                    bouquets += _listed(reference, name)
        return bouquets

    async def services(self, bouquet: ListedService) -> list[ListedService]:
        """List what is in a bouquet: services, markers and further bouquets, in its order."""
        services: list[ListedService] = []
        for entry in await self._get("getservices", "services", list, sRef=bouquet.raw_reference):
            match entry:
                case {"servicereference": str(reference), "servicename": name}:
                    services += _listed(reference, str(name or ""))
        return services

    async def aclose(self) -> None:
        """Close the connection. Closing again does nothing."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _get(self, endpoint: str, key: str, kind: type[T], **query: str) -> T:
        """Ask for what an endpoint has under `key`; OpenWebif reports failures with status 200."""
        answer = await self._get_json(endpoint, query)
        value = answer.get(key) if isinstance(answer, dict) else None
        if not isinstance(value, kind):
            message = str(answer.get("message", "")) if isinstance(answer, dict) else ""
            raise self._no_openwebif(message or f'/api/{endpoint} has no "{key}"')
        return value

    async def _get_json(self, endpoint: str, query: Mapping[str, str]) -> object:
        """One request, and the only place where foreign exceptions become ours."""
        try:
            # httpx's timeouts start again with each read; a trickling answer needs one in all.
            async with self._turn, asyncio.timeout(self._answer_timeout_s):
                return await self._ask(endpoint, query)
        except (httpx.TimeoutException, TimeoutError) as error:
            if isinstance(error, httpx.ConnectTimeout):
                raise self._unreachable("it does not answer") from error
            raise TimeLimitError(
                f"the receiver at {self._address.url} took more than "
                f"{self._answer_timeout_s:g} s to answer; try again when it is less busy"
            ) from error
        except httpx.ConnectError as error:
            raise self._unreachable(str(error) or "connection failed") from error
        except httpx.TransportError as error:
            raise self._unreachable(f"the connection broke ({error})") from error
        except httpx.HTTPError as error:
            raise self._no_openwebif(str(error)) from error

    async def _ask(self, endpoint: str, query: Mapping[str, str]) -> object:
        async with self._client.stream("GET", f"api/{endpoint}", params=query) as response:
            if response.status_code != httpx.codes.OK:
                raise self._refusal(response.status_code)
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _ANSWER_LIMIT_BYTES:
                    raise self._no_openwebif(f"/api/{endpoint} never ends")
        try:
            return httpx.Response(200, content=bytes(body)).json()
        except ValueError as error:
            raise self._no_openwebif(f"/api/{endpoint} is no JSON") from error

    def _refusal(self, status: int) -> ReceiverError:
        if status == httpx.codes.UNAUTHORIZED:
            return CredentialsError(
                f"the receiver at {self._address.url} refuses this user and password; set "
                "XG2G_RECEIVER_USER and XG2G_RECEIVER_PASSWORD"
            )
        if status == httpx.codes.FORBIDDEN:
            return CredentialsError(
                f"the receiver at {self._address.url} refuses this computer's address; switch on "
                "authentication in OpenWebif's settings, or allow the address there"
            )
        return self._no_openwebif(f"HTTP status {status}")

    def _unreachable(self, why: str) -> UnreachableError:
        return UnreachableError(
            f"cannot reach the receiver at {self._address.url}: {why}; check the address, and that "
            "the receiver is on and not in deep standby"
        )

    def _no_openwebif(self, why: str) -> UnexpectedAnswerError:
        return UnexpectedAnswerError(
            f"{self._address.url} does not answer as OpenWebif does ({why}); check the address"
        )


def _listed(reference: str, name: str) -> list[ListedService]:
    """The entry, or nothing for one whose reference makes no sense: the others count."""
    try:
        return [ListedService(ServiceReference.parse(reference), reference, name)]
    except ValueError:
        return []

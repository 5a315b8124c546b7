"""The daemon put together: settings in, a running server out."""

import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from functools import partial

import structlog

from .api.access import Access
from .app import create_app
from .backend import choose_backend
from .config import Settings
from .errors import UserError
from .gateway import Gateway
from .guide.keeper import GuideKeeper
from .hdhomerun.identity import Identity
from .hdhomerun.presence import present
from .lineup import Lineup
from .lineup.arrangement import Bouquet
from .lineup.keeper import LineupKeeper
from .lineup.reader import Recall, read_at_once, read_bouquets
from .metrics import Metrics
from .observation import Questions
from .picons import Picons
from .receiver.errors import ReceiverError
from .receiver.openwebif import ListedService, OpenWebif
from .receiver.refusal import why_refused
from .receiver.relay_list import RelayList
from .receiver.service_reference import ServiceReference
from .receiver.stream import StreamServer
from .refresher import Refresher
from .reload import Reloader, Reread, reloading_on_hangup
from .server import listen, serve
from .store import channels, programmes
from .store.database import Database, StoreError
from .store.place import open_database
from .streaming.live import LiveStreams
from .streaming.tuners import Tuners
from .streaming.web import Sources, WebStreams

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ready:
    """What there is to say once the daemon serves."""

    host: str
    port: int
    lineup: Lineup | None
    """None while the receiver has not answered yet."""


async def run(
    settings: Settings,
    *,
    on_ready: Callable[[Ready], None],
    keep_data: bool = True,
    reread: Reread | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises `UserError`.

    A receiver that does not answer at the very first start ends the daemon, since that is most
    often a wrong address that somebody at a terminal wants to see at once. With `receiver.wait`,
    for a service that starts at boot, the daemon serves and keeps asking. Once there is a stored
    lineup it serves that at once. Without `keep_data` nothing is stored for the next start.
    With `reread`, SIGHUP changes what can be changed while streams go on.
    """
    address = settings.receiver_address()
    metrics = Metrics()
    backend = choose_backend(settings, observer=metrics.backend)
    metrics.backend.runs(backend.name)
    try:
        health = await backend.check()
        if not health.usable:
            raise UserError(health.detail)
        for warning in health.warnings:
            log.warning(warning)
        async with (
            OpenWebif(
                address,
                connect_timeout_s=settings.receiver.connect_timeout_s,
                answer_timeout_s=settings.receiver.answer_timeout_s,
            ) as receiver,
            open_database(settings.data.dir, keep=keep_data) as database,
            aclosing(Picons(receiver, database)) as picons,
        ):
            metrics.registry.register(Questions(lambda: receiver.traffic))
            relays = RelayList(receiver)
            keeper = LineupKeeper(
                lambda: _read(read_bouquets, receiver, relays, tuners, database),
                database,
                read_at_once=lambda: _read(read_at_once, receiver, relays, tuners, database),
                wanted=settings.lineup.bouquets,
                clock_s=time.monotonic,
            )
            listener = listen(
                settings.server.host,
                settings.server.port,
                dead_after_s=settings.server.send_timeout_s,
            )
            with listener:
                sources_for = partial(
                    _sources, receiver, keeper, relays, metrics, lambda: tuners.services
                )
                tuners: Tuners = Tuners(
                    sources_for(settings),
                    linger_s=settings.receiver.linger_s,
                    limit=settings.hdhomerun.tuners or None,
                )
                await keeper.restore()
                if not settings.guide.enabled:
                    await database.write(programmes.clear)
                if keeper.lineup is None and not settings.receiver.wait:
                    await _load_now(keeper)
                gateway = Gateway(
                    lineup_keeper=keeper,
                    database=database,
                    picons=picons,
                    streams=LiveStreams(
                        receiver=tuners,
                        backend=backend,
                        options=settings.remux_options(),
                        first_output_s=settings.receiver.first_byte_timeout_s,
                        metrics=metrics,
                    ),
                    tuners=tuners,
                    identity=await database.write(Identity.kept),
                    name=settings.hdhomerun.name,
                    metrics=metrics,
                    send_timeout_s=settings.server.send_timeout_s,
                    tuner_bouquets=settings.hdhomerun.bouquets,
                    public_url=settings.server.public_url or None,
                )
                guide = GuideKeeper(
                    receiver,
                    keeper,
                    database,
                    days=settings.guide.days,
                    past_hours=settings.guide.past_hours,
                )
                refresher = Refresher(
                    keeper,
                    partial(_after_lineup, keeper, guide, picons, settings),
                    interval_s=settings.lineup.refresh_hours * 3600,
                )
                async with AsyncExitStack() as stack:
                    stack.push_async_callback(tuners.aclose)
                    extra = [stack.enter_context(each) for each in _extra_listeners(settings)]
                    if settings.hdhomerun.discovery:
                        found = present(
                            lambda: gateway.device,
                            host=listener.getsockname()[0],
                            port=listener.getsockname()[1],
                        )
                        await stack.enter_async_context(found)
                    access = Access(behind_proxy=bool(settings.server.public_url))
                    _guard(access, settings)
                    if reread is not None:
                        change = partial(
                            _change,
                            receiver,
                            tuners,
                            gateway.streams,
                            sources_for,
                            refresher,
                            access,
                        )
                        reloader = Reloader(settings, reread, change)
                        await stack.enter_async_context(reloading_on_hangup(reloader.reload))
                    await serve(
                        create_app(gateway, refresher, access),
                        [listener, *extra],
                        on_ready=lambda: on_ready(_ready(listener, keeper.lineup)),
                        on_stop=gateway.stopping.set,
                    )
    except StoreError as error:
        raise UserError(str(error)) from error
    finally:
        await backend.aclose()


def _guard(access: Access, settings: Settings) -> None:
    token = settings.server.token
    access.ask_for(
        token.get_secret_value() if token else None, for_reading=settings.server.token_for_reading
    )


def _extra_listeners(settings: Settings) -> list[socket.socket]:
    """Raises `UserError` when there is no right to one of the ports, or somebody has it."""
    server = settings.server
    ports = [port for port in settings.hdhomerun.ports if port != server.port]
    return [listen(server.host, port, dead_after_s=server.send_timeout_s) for port in ports]


def _sources(
    receiver: OpenWebif,
    keeper: LineupKeeper,
    relays: RelayList,
    metrics: Metrics,
    streaming: Callable[[], Sequence[ServiceReference]],
    settings: Settings,
) -> Sources:
    address, deadlines = settings.receiver_address(), settings.stream_deadlines()
    streams = StreamServer(
        address,
        deadlines,
        relayed=relays.includes,
        explain=partial(_why_refused, receiver, keeper, streaming),
        relay_failed=metrics.relay_failures.inc,
    )
    return Sources(streams, WebStreams(address.host, deadlines))


async def _change(
    receiver: OpenWebif,
    tuners: Tuners,
    streams: LiveStreams,
    sources_for: Callable[[Settings], Sources],
    refresher: Refresher,
    access: Access,
    settings: Settings,
    changed: frozenset[str],
) -> None:
    """Go on with other settings; streams that are open are left alone."""
    tuners.linger_s = settings.receiver.linger_s
    streams.options = settings.remux_options()
    streams.first_output_s = settings.receiver.first_byte_timeout_s
    _guard(access, settings)
    if any(key.startswith("receiver.") for key in changed - {"receiver.linger_s"}):
        tuners.receiver = sources_for(settings)
        await receiver.turn_to(
            settings.receiver_address(),
            connect_timeout_s=settings.receiver.connect_timeout_s,
            answer_timeout_s=settings.receiver.answer_timeout_s,
        )
        refresher.hasten()


async def _read(
    read: Callable[[OpenWebif, Recall], Awaitable[list[Bouquet]]],
    receiver: OpenWebif,
    relays: RelayList,
    tuners: Tuners,
    database: Database,
) -> list[Bouquet]:
    bouquets = await read(receiver, partial(_recalled, database))
    await relays.refresh()
    if tuners.limit is None:
        # Once: this question is a heavy one.
        tuners.limit = len((await receiver.about()).tuners) or None
    return bouquets


async def _why_refused(
    receiver: OpenWebif,
    keeper: LineupKeeper,
    streaming: Callable[[], Sequence[ServiceReference]],
    service: ServiceReference,
) -> ReceiverError | None:
    """Ask about what the receiver itself has listed, and about nothing else."""

    def listed(services: Sequence[ServiceReference]) -> list[ListedService]:
        lineup = keeper.lineup
        return [
            ListedService(it, it.stream_path, "")
            for it in services
            if lineup is not None and lineup.find(it.channel_id) is not None
        ]

    if not (refused := listed([service])):
        return None
    return await why_refused(receiver, refused[0], listed(streaming()))


async def _after_lineup(
    keeper: LineupKeeper, guide: GuideKeeper, picons: Picons, settings: Settings
) -> None:
    """Read what there is about the channels."""
    if settings.guide.enabled:
        await guide.refresh()
    if keeper.lineup:
        await picons.fill(keeper.lineup)


async def _recalled(database: Database, reference: str) -> Bouquet | None:
    return await database.read(partial(channels.stored_bouquet, reference=reference))


async def _load_now(keeper: LineupKeeper) -> None:
    try:
        await keeper.load_first()
    except ReceiverError as error:
        raise UserError(f"{error} (with --wait, xg2g starts anyway and keeps asking)") from error


def _ready(listener: socket.socket, lineup: Lineup | None) -> Ready:
    host, port = listener.getsockname()[:2]
    return Ready(host, port, lineup)

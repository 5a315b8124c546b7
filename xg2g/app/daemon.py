"""The daemon put together: settings in, a running server out."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from functools import partial

import structlog

from ..config import Settings
from ..config.settings import HlsSettings
from ..errors import UsageError, UserError
from ..guide import programme_table
from ..guide.keeper import GuideKeeper
from ..guide.refresher import Refresher
from ..hdhomerun.advertising import advertise_tuner
from ..hdhomerun.identity import Identity
from ..lineup import Lineup
from ..lineup.keeper import LineupKeeper, UnknownBouquetError
from ..lineup.naming import choose, unknown
from ..lineup.picons import Picons
from ..metrics import Metrics
from ..network.hosts import AllowedHosts
from ..network.origins import AllowedOrigins
from ..outputs.failures import Failures
from ..outputs.hls.disk_storage import StorageFolder, UnwritableFolderError
from ..outputs.hls.options import HlsOptions
from ..outputs.hls.outputs import HlsOutputs
from ..outputs.stop_event import StopEvent
from ..outputs.viewers import Viewers
from ..readiness import Part, Readiness
from ..readiness.transcoders import WatchedBackend, WatchedServices, probe_backend
from ..receiver.errors import ReceiverError, TimeLimitError, UnreachableError
from ..receiver.openwebif import OpenWebif
from ..store.database import StoreError
from ..store.location import open_database
from ..streaming.hub import Hub
from ..web.gateway import Gateway
from ..web.http.access import Access
from ..web.pages.built_page import BuiltPage
from ..web.service_status import service_status
from . import open_files
from .asgi import create_app
from .backend import choose_backend
from .collectors import ReceiverCollector
from .listening import listen
from .receiver_session import ReceiverSession
from .reload import Reloader, Reread, reloading_on_hangup
from .server import serve

log = structlog.get_logger()

_EXAMINED_S = 1.0
"""How long the start waits for what is said of the way to a viewer."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What there is to say once the daemon serves."""

    host: str
    port: int
    lineup: Lineup | None
    """None while the receiver has not answered yet."""
    tuners: int | None = None
    """None while the receiver has not told how many there are."""
    public_url: str | None = None
    """How players reach xg2g, if not by `host` and `port`."""
    trouble: str | None = None
    """Why a viewer who comes now would not be served: one line. None when they would."""
    unkept: str | None = None
    """Why channel numbers and guide will not outlive this process, if they should: one line."""


async def run(
    settings: Settings,
    *,
    on_ready: Callable[[Ready], None],
    keep_data: bool = True,
    reread: Reread | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises `UserError`.

    `on_ready` is called when the daemon serves, and once more when the first lineup comes after
    that.

    A receiver that does not answer at the very first start ends the daemon, since that is most
    often a wrong address that somebody at a terminal wants to see at once. With `receiver.wait`,
    for a service that starts at boot, the daemon serves and keeps asking. Once there is a stored
    lineup it serves that at once. Without `keep_data` nothing is stored for the next start.
    With `reread`, SIGHUP changes what can be changed while streams go on.
    """
    open_files.raise_limit()
    address = settings.receiver_address()
    metrics = Metrics()
    readiness = Readiness()
    backend = choose_backend(settings, observer=WatchedServices(metrics.backend, readiness))
    readiness.watch(Part.TRANSCODER, partial(probe_backend, backend))
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
            metrics.registry.register(ReceiverCollector(lambda: receiver.traffic))
            session = ReceiverSession(
                receiver,
                WatchedBackend(backend, readiness),
                database,
                metrics,
                readiness,
                settings,
            )
            keeper, hub = session.keeper, session.hub
            listener = listen(
                settings.server.host,
                settings.server.port,
            )
            with listener:
                await keeper.restore()
                if not settings.guide.enabled:
                    await database.write(programme_table.clear)
                await _begin(keeper, settings)
                hosts = AllowedHosts.of_settings(
                    settings.server.host_names,
                    public_url=settings.server.public_url,
                    host=settings.server.host,
                )
                stopping, viewers, failures = StopEvent(), Viewers(), Failures()
                disk = await _disk(settings.hls)
                room = settings.hls.memory_bytes if disk is None else settings.hls.disk_bytes
                hls = HlsOutputs(
                    hub,
                    HlsOptions(window_s=settings.hls.window_s, space_bytes=room),
                    metrics=metrics,
                    viewers=viewers,
                    failures=failures,
                    stopping=stopping,
                    folder=disk,
                )
                guide = GuideKeeper(
                    receiver,
                    keeper,
                    database,
                    days=settings.guide.days,
                    past_hours=settings.guide.past_hours,
                )
                announcement = _Announcement(on_ready, lambda: _ready(listener, gateway, settings))
                refresher = Refresher(
                    keeper,
                    partial(
                        _after_lineup, keeper, guide, picons, settings, readiness, announcement
                    ),
                    interval_s=settings.lineup.refresh_hours * 3600,
                )
                access = Access(behind_proxy=bool(settings.server.public_url))
                _guard(access, settings)
                gateway = Gateway(
                    lineup_keeper=keeper,
                    refresher=refresher,
                    access=access,
                    database=database,
                    picons=picons,
                    hub=hub,
                    identity=await database.write(Identity.kept),
                    name=settings.hdhomerun.name,
                    metrics=metrics,
                    readiness=readiness,
                    pause_limit_s=settings.server.pause_limit_s,
                    tuner_bouquets=settings.hdhomerun.bouquets,
                    public_url=settings.server.public_url or None,
                    has_guide=settings.guide.enabled,
                    hosts=hosts,
                    origins=AllowedOrigins(hosts, settings.server.web_origins),
                    failures=failures,
                    viewers=viewers,
                    hls=hls if settings.hls.enabled else None,
                    stopping=stopping,
                    page=BuiltPage.load(),
                )
                async with AsyncExitStack() as stack:
                    if disk is not None:
                        stack.push_async_callback(disk.aclose)
                    stack.push_async_callback(hub.aclose)
                    stack.push_async_callback(hls.aclose)
                    extra = [stack.enter_context(each) for each in _extra_listeners(settings)]
                    if settings.hdhomerun.discovery:
                        found = advertise_tuner(
                            lambda: gateway.device,
                            host=listener.getsockname()[0],
                            port=listener.getsockname()[1],
                        )
                        await stack.enter_async_context(found)
                    if reread is not None:
                        change = partial(_change, session, hub, refresher, access)
                        reloader = Reloader(
                            settings, reread, change, check=partial(_check_bouquets, keeper)
                        )
                        await stack.enter_async_context(reloading_on_hangup(reloader.reload))
                    await readiness.examine(within_s=_EXAMINED_S)
                    await serve(
                        create_app(gateway),
                        [listener, *extra],
                        on_ready=announcement.make,
                        on_stop=gateway.stopping.set,
                        behind_proxy=bool(settings.server.public_url),
                    )
    except StoreError as error:
        raise UserError(str(error)) from error
    finally:
        await backend.aclose()


def _guard(access: Access, settings: Settings) -> None:
    token = settings.server.token
    access.ask_for(token.value if token else None, for_reading=settings.server.token_for_reading)


def _extra_listeners(settings: Settings) -> list[socket.socket]:
    """Raises `UserError` when there is no right to one of the ports, or somebody has it."""
    server = settings.server
    ports = [port for port in settings.hdhomerun.ports if port != server.port]
    return [listen(server.host, port) for port in ports]


async def _change(
    session: ReceiverSession,
    hub: Hub,
    refresher: Refresher,
    access: Access,
    settings: Settings,
    changed: frozenset[str],
) -> None:
    """Go on with other settings; streams that are open are left alone."""
    hub.linger_s = settings.receiver.linger_s
    hub.options = settings.remux_options()
    hub.first_output_s = settings.receiver.first_byte_timeout_s
    _guard(access, settings)
    if any(key.startswith("receiver.") for key in changed - {"receiver.linger_s"}):
        await session.turn_to(settings)
        refresher.hasten()


async def _after_lineup(
    keeper: LineupKeeper,
    guide: GuideKeeper,
    picons: Picons,
    settings: Settings,
    readiness: Readiness,
    announcement: "_Announcement",
) -> None:
    """Read what there is about the channels."""
    if announcement.is_incomplete:
        await readiness.examine(within_s=_EXAMINED_S)
        announcement.make()
    if settings.guide.enabled:
        await guide.refresh()
    if keeper.lineup:
        await picons.fill(keeper.lineup)


async def _begin(keeper: LineupKeeper, settings: Settings) -> None:
    """Read a first lineup where there is none, and make sure that the bouquets exist that the
    settings name. Raises `UserError`.

    What is stored may be older than a bouquet: the receiver is asked before a name is refused.
    """
    if (
        keeper.missing
        or keeper.is_of_others
        or _missing_tuner_bouquets(keeper, settings)
        or (keeper.lineup is None and (settings.lineup.bouquets or not settings.receiver.wait))
    ):
        await _load_now(keeper, settings)
    if missing := _missing_tuner_bouquets(keeper, settings):
        raise UsageError(f"hdhomerun.bouquets: {missing}")


async def _load_now(keeper: LineupKeeper, settings: Settings) -> None:
    try:
        await keeper.load_first(strict=True)
    except UnknownBouquetError as error:
        raise UsageError(str(error)) from error
    except ReceiverError as error:
        if keeper.missing:
            raise UsageError(f"{keeper.missing_text} (at the last reading; now {error})") from error
        if keeper.lineup is None and not settings.receiver.wait:
            may_come = isinstance(error, UnreachableError | TimeLimitError)
            wait = " (with --wait, xg2g starts anyway and keeps asking)" if may_come else ""
            raise UserError(f"{error}{wait}") from error
        log.warning("the bouquets are looked for when the receiver answers", reason=str(error))


def _missing_tuner_bouquets(keeper: LineupKeeper, settings: Settings) -> str | None:
    if keeper.lineup is None:
        return None
    names = [group.name for group in keeper.lineup.groups]
    missing = choose(settings.hdhomerun.bouquets, names).missing
    return unknown(missing, names) if missing else None


def _check_bouquets(keeper: LineupKeeper, before: Settings, after: Settings) -> None:
    """Raises `UsageError` when other settings name a bouquet that is not there."""
    if keeper.names is None:
        return
    for where, old, new in (
        ("", before.lineup.bouquets, after.lineup.bouquets),
        ("hdhomerun.bouquets: ", before.hdhomerun.bouquets, after.hdhomerun.bouquets),
    ):
        missing = choose(new, keeper.names).missing
        if missing and new != old:
            raise UsageError(f"{where}{unknown(missing, keeper.names)}")


class _Announcement:
    """The call of `on_ready`, which is repeated when the first lineup comes later."""

    def __init__(self, on_ready: Callable[[Ready], None], ready: Callable[[], Ready]) -> None:
        self._on_ready = on_ready
        self._ready = ready
        self.is_incomplete = False
        """It was made without a lineup."""

    def make(self) -> None:
        ready = self._ready()
        self.is_incomplete = ready.lineup is None
        self._on_ready(ready)


async def _disk(settings: HlsSettings) -> StorageFolder | None:
    """Open the folder for windows, if one is set and can be written."""
    if settings.dir is None or not settings.enabled:
        return None
    try:
        return await asyncio.to_thread(StorageFolder.open, settings.dir)
    except UnwritableFolderError as error:
        log.error("how far players can go back is kept in memory", reason=str(error))
        return None


def _ready(listener: socket.socket, gateway: Gateway, settings: Settings) -> Ready:
    host, port = listener.getsockname()[:2]
    keeper = gateway.lineup_keeper
    found = service_status(gateway)
    return Ready(
        host,
        port,
        keeper.lineup,
        tuners=gateway.hub.limit,
        public_url=settings.server.public_url or None,
        trouble=None if found.is_ready else found.reasons[0],
        unkept=gateway.database.unkept,
    )

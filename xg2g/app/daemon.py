"""The composition of the daemon: settings in, a running server out."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial

import structlog

from ..config import Settings
from ..config.settings import HlsSettings
from ..errors import UserError
from ..guide import programme_table
from ..guide.keeper import GuideKeeper
from ..guide.refresher import Refresher
from ..hdhomerun.advertising import advertise_tuner
from ..hdhomerun.identity import Identity
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
from ..receiver.openwebif import OpenWebif
from ..store.database import Database, StoreError
from ..store.location import open_database
from ..web.gateway import Gateway
from ..web.http.access import Access
from ..web.pages.built_page import BuiltPage
from . import logs, open_files
from .announcement import Announcement, Ready, ready_now
from .asgi import create_app
from .backend import choose_backend
from .collectors import ReceiverCollector
from .first_lineup import check_changed_settings, load_first_lineup
from .listening import listen
from .receiver_session import ReceiverSession
from .reload import ReadAgain, Reloader, reloading_on_hangup
from .server import serve

log = structlog.get_logger()

_PROBES_S = 1.0
"""Maximum time that the start waits for the probes of receiver and transcoder."""


async def run(
    settings: Settings,
    *,
    on_ready: Callable[[Ready], None],
    keep_data: bool = True,
    reread: ReadAgain | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises `UserError`.

    `on_ready` is called when the daemon serves, and again when the first lineup comes after that.

    If the receiver does not answer at the very first start, the daemon ends: most often the address
    is wrong, and somebody at a terminal wants to see that at once. With `receiver.wait`, for a
    service that starts at boot, the daemon serves and keeps asking. A stored lineup is served at
    once. Without `keep_data`, nothing is stored for the next start. With `reread`, SIGHUP changes
    live settings while streams go on.
    """
    settings.receiver.address()
    open_files.raise_limit()
    try:
        async with AsyncExitStack() as ending:
            await _run(settings, on_ready, keep_data, reread, ending)
    except StoreError as error:
        raise UserError(str(error)) from error


async def _run(
    settings: Settings,
    on_ready: Callable[[Ready], None],
    keep_data: bool,
    reread: ReadAgain | None,
    ending: AsyncExitStack,
) -> None:
    """Start the parts in this order, serve, and leave it to `ending` to end them in reverse."""
    enter, server = ending.enter_async_context, settings.server
    metrics, readiness = Metrics(), Readiness()
    backend = await enter(_backend(settings, metrics, readiness))
    receiver = await enter(_web_interface(settings, metrics))
    database = await enter(open_database(settings.data.dir, keep=keep_data))
    picons = await enter(aclosing(Picons(receiver, database)))
    session = ReceiverSession(receiver, backend, database, metrics, readiness, settings)
    listener = ending.enter_context(listen(server.host, server.port))
    await load_first_lineup(session.keeper, settings)
    folder = await enter(_storage_folder(settings.hls))
    ending.push_async_callback(session.hub.aclose)

    announcement = Announcement(on_ready, lambda: ready_now(listener, gateway, settings))

    async def after_lineup() -> None:
        if announcement.is_incomplete:
            await readiness.examine(within_s=_PROBES_S)
            announcement.make()
        if settings.guide.enabled:
            await guide.refresh()
        if session.keeper.lineup:
            await picons.fill(session.keeper.lineup)

    guide = await _guide(settings, receiver, session, database)
    refresher = Refresher(
        session.keeper, after_lineup, interval_s=settings.lineup.refresh_hours * 3600
    )
    session.on_new_receiver = refresher.hasten
    gateway = await _gateway(
        settings, session, refresher, database, picons, metrics, readiness, folder
    )
    if gateway.hls is not None:
        ending.push_async_callback(gateway.hls.aclose)
    extra = [ending.enter_context(each) for each in _extra_listeners(settings)]
    if settings.hdhomerun.discovery:
        host, port = listener.getsockname()[:2]
        await enter(advertise_tuner(lambda: gateway.device, host=host, port=port))
    if reread is not None:
        parts = (session, gateway.access, logs.LiveLogs())
        check = partial(check_changed_settings, session.keeper)
        await enter(reloading_on_hangup(Reloader(settings, reread, parts, check).reload))
    await readiness.examine(within_s=_PROBES_S)
    await serve(
        create_app(gateway),
        [listener, *extra],
        on_ready=announcement.make,
        on_stop=gateway.stopping.set,
        behind_proxy=bool(server.public_url),
    )


@asynccontextmanager
async def _backend(
    settings: Settings, metrics: Metrics, readiness: Readiness
) -> AsyncIterator[WatchedBackend]:
    """Yield the backend. Raises `UserError` if it cannot convert streams."""
    observer = WatchedServices(metrics.backend, readiness)
    async with aclosing(choose_backend(settings, observer=observer)) as backend:
        readiness.watch(Part.TRANSCODER, partial(probe_backend, backend))
        metrics.backend.runs(backend.name)
        health = await backend.check()
        if not health.usable:
            raise UserError(health.detail)
        for warning in health.warnings:
            log.warning(warning)
        yield WatchedBackend(backend, readiness)


@asynccontextmanager
async def _web_interface(settings: Settings, metrics: Metrics) -> AsyncIterator[OpenWebif]:
    async with OpenWebif(
        settings.receiver.address(),
        connect_timeout_s=settings.receiver.connect_timeout_s,
        answer_timeout_s=settings.receiver.answer_timeout_s,
    ) as receiver:
        metrics.registry.register(ReceiverCollector(lambda: receiver.traffic))
        yield receiver


@asynccontextmanager
async def _storage_folder(settings: HlsSettings) -> AsyncIterator[StorageFolder | None]:
    """Yield the folder for windows, or None if none is set or it cannot be written."""
    if settings.dir is None or not settings.enabled:
        yield None
        return
    try:
        folder = await asyncio.to_thread(StorageFolder.open, settings.dir)
    except UnwritableFolderError as error:
        log.error("HLS windows are kept in memory", reason=str(error))
        yield None
        return
    async with aclosing(folder):
        yield folder


async def _guide(
    settings: Settings, receiver: OpenWebif, session: ReceiverSession, database: Database
) -> GuideKeeper:
    if not settings.guide.enabled:
        await database.write(programme_table.clear)
    return GuideKeeper(
        receiver,
        session.keeper,
        database,
        days=settings.guide.days,
        past_hours=settings.guide.past_hours,
    )


async def _gateway(
    settings: Settings,
    session: ReceiverSession,
    refresher: Refresher,
    database: Database,
    picons: Picons,
    metrics: Metrics,
    readiness: Readiness,
    folder: StorageFolder | None,
) -> Gateway:
    """Return the parts as the routes see them."""
    server = settings.server
    stopping, viewers, failures = StopEvent(), Viewers(), Failures()
    access = Access(behind_proxy=bool(server.public_url))
    await access.apply(settings)
    hosts = AllowedHosts.of_settings(
        server.host_names, public_url=server.public_url, host=server.host
    )
    space_bytes = settings.hls.memory_bytes if folder is None else settings.hls.disk_bytes
    hls = HlsOutputs(
        session.hub,
        HlsOptions(window_s=settings.hls.window_s, space_bytes=space_bytes),
        metrics=metrics,
        viewers=viewers,
        failures=failures,
        stopping=stopping,
        folder=folder,
    )
    return Gateway(
        lineup_keeper=session.keeper,
        refresher=refresher,
        access=access,
        database=database,
        picons=picons,
        hub=session.hub,
        identity=await database.write(Identity.load_or_make),
        name=settings.hdhomerun.name,
        metrics=metrics,
        readiness=readiness,
        pause_limit_s=server.pause_limit_s,
        tuner_bouquets=settings.hdhomerun.bouquets,
        public_url=server.public_url or None,
        has_guide=settings.guide.enabled,
        hosts=hosts,
        origins=AllowedOrigins(hosts, server.web_origins),
        failures=failures,
        viewers=viewers,
        hls=hls if settings.hls.enabled else None,
        stopping=stopping,
        page=BuiltPage.load(),
    )


def _extra_listeners(settings: Settings) -> list[socket.socket]:
    """Open the tuner's additional ports. Raises `UserError` if one is taken or not permitted."""
    server = settings.server
    ports = [port for port in settings.hdhomerun.ports if port != server.port]
    return [listen(server.host, port) for port in ports]

"""The services on air: test cards, services with faults, and those of recordings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path

from xg2g.simulator.loop import Loop
from xg2g.simulator.recording import (
    ProgramMap,
    Recording,
    exchange_service_ids,
    load_recording,
    parse_recording,
    select_program,
    without_streams,
)
from xg2g.simulator.service import HD_TV, RADIO, TV, Answer, Conditions, Service, ServiceReference
from xg2g.simulator.transport import NULL_PID

# Namespaces: 19.2 and 13.0 degrees east; cable, with the number of the file, for recordings.
_SATELLITE = 0xC00000
_SATELLITE_2 = 0x820000
_CABLE = 0xFFFF0000
_NETWORK = 1


_FAULTS = (
    ("Late first byte (4 s)", Conditions(first_byte_s=4.0)),
    ("No tuner (400 in the body)", Conditions(answer=Answer.REFUSE)),
    ("No lock (ends with zero bytes)", Conditions(answer=Answer.EMPTY, first_byte_s=2.0)),
    ("No PAT (silent socket)", Conditions(answer=Answer.SILENT)),
    ("Ends after 20 s", Conditions(end_after_s=20.0)),
    ("Reset after 20 s", Conditions(end_after_s=20.0, reset=True)),
    ("Stalls after 20 s", Conditions(stall_after_s=20.0)),
    ("Gaps in mid-packet", Conditions(cut_every_bursts=30)),
    ("Clock wraps after 15 s", Conditions(wrap_after_s=15.0)),
)


_ONE_SILENT = frozenset((0x109, 0x10A))
"""Streams that the clip's PMT announces, that are never sent, and that players wait for: private
sections and an audio track. (They do not wait for its teletext.)"""
_TWO_SILENT = frozenset((0x205,))

_CARDS = (
    ("interlaced-1080i.ts", "Interlaced 1080i", HD_TV),
    ("interlaced-576i.ts", "Interlaced 576i", TV),
    ("languages.ts", "Languages", HD_TV),
    ("lip-sync.ts", "Lip Sync", HD_TV),
    ("hevc.ts", "HEVC", HD_TV),
    ("mpeg2.ts", "MPEG-2", TV),
    ("subtitles.ts", "Subtitles", HD_TV),
    ("open-gop.ts", "Open GOP", HD_TV),
    ("seldom-key.ts", "Key Frame Each 8 s", HD_TV),
    ("picture-changes.ts", "Picture Changes", HD_TV),
)
"""Difficulties for players, one in each service."""


@dataclass(frozen=True)
class Services:
    """All services, by what they are for."""

    one: Service
    two: Service
    three: Service
    four: Service
    five: Service
    six: Service
    faults: Sequence[Service]
    """One fault a service."""
    cards: Sequence[Service]
    """One difficulty for players a service."""
    recorded: Sequence[Service]
    """The programs of the recordings."""
    many: Sequence[Service]
    """The additional services."""

    def all(self) -> list[Service]:
        """Return every service, the six numbered ones first."""
        numbered = (self.one, self.two, self.three, self.four, self.five, self.six)
        return [*numbered, *self.faults, *self.cards, *self.recorded, *self.many]


def services_on_air(sources: Sequence[Path], *, copies: int, channels: int) -> Services:
    """Make the test cards, the services with faults, `copies` services for each program in
    `sources`, and `channels` additional services that show the cards again.

    Raises RecordingError, with a message for the user, for a source that cannot be served.
    """
    one = _clip("one-hd.ts", "Card One HD", HD_TV, left_out=_ONE_SILENT)
    two = _clip("two-hd.ts", "Card Two HD", HD_TV, left_out=_TWO_SILENT)
    three = _clip("three-latm.ts", "Card Three & Friends", TV)
    four = _clip("four-radio.ts", "Radio Four", RADIO)
    five = _clip("five-scrambled.ts", "Card Five HD (scrambled)", HD_TV)
    five.has_guide = False
    five.relayed = _cleared(one, five)
    six = _clip("six-changes.ts", "Card Six (sound changes)", TV)
    # By whole reference, by the reference with another service type, by name; Radio Four has none.
    one.picon = _file(one.reference)
    two.picon = _file(two.reference._replace(service_type=TV))
    three.picon = "cardthreeandfriends.png"
    five.picon, six.picon = "cardfivehdscrambled.png", _file(six.reference)
    faults = [_fault(one, name, i + 1, c) for i, (name, c) in enumerate(_FAULTS)]
    faults.append(_announcing(one, len(faults) + 1))
    cards = [_card(file, name, kind) for file, name, kind in _CARDS]
    # The relay's list does not have this one: nothing descrambles it.
    cards.append(_fault(five, "Scrambled", len(faults) + 1, Conditions()))
    recorded = [
        copy
        for i, path in enumerate(sources)
        for service in _recorded(path, _CABLE + i)
        for copy in _copies(service, copies)
    ]
    many = _many([one, two, three, six], channels)
    return Services(one, two, three, four, five, six, faults, cards, recorded, many)


def _many(cards: Sequence[Service], count: int) -> list[Service]:
    """Return `count` services with the cards' loops, as many to a transponder as there are cards.

    One in ten has no guide, one in twenty no picon.
    """
    services = []
    for i in range(count):
        card = cards[i % len(cards)]
        reference = card.reference._replace(
            transport_stream_id=0x400 + i // len(cards), namespace=_SATELLITE_2
        )
        hd = " HD" if reference.service_type == HD_TV else ""
        service = Service(reference, f"Channel {i + 1}{hd}", card.loop, has_guide=i % 10 != 9)
        service.picon = None if i % 20 == 19 else _file(reference)
        services.append(service)
    return services


def _copies(service: Service, count: int) -> list[Service]:
    """Return `count` copies of the service, each on a network and transponder of its own."""
    if count == 1:
        return [service]
    return [
        replace(
            service,
            reference=service.reference._replace(original_network_id=_NETWORK + i),
            name=f"{service.name} {i + 1}",
        )
        for i in range(count)
    ]


def _file(reference: ServiceReference) -> str:
    return f"{str(reference).strip(':').replace(':', '_')}.png"


def _clip(
    file: str, name: str, service_type: int, *, left_out: frozenset[int] = frozenset()
) -> Service:
    transport_stream_id, service_id, loop = _clip_loop(file, left_out)
    reference = ServiceReference(
        service_type, service_id, transport_stream_id, _NETWORK, _SATELLITE
    )
    return Service(reference, name, loop)


def _card(file: str, name: str, service_type: int) -> Service:
    """Return a service of the bouquet of test cards; its whole reference names the picon."""
    service = _clip(file, name, service_type)
    service.picon = _file(service.reference)
    return service


def _cleared(clear: Service, scrambled: Service) -> Loop:
    """Return what a softcam sends for a scrambled card: a clear one with its service id."""
    ids = clear.reference.service_id, scrambled.reference.service_id
    return _exchanged_loop("one-hd.ts", *ids)


@cache
def _exchanged_loop(file: str, first: int, second: int) -> Loop:
    data = resources.files("xg2g.simulator").joinpath("clips", file).read_bytes()
    recording = parse_recording(exchange_service_ids(data, first, second))
    (program,) = recording.programs
    return Loop(select_program(recording, program), program.pcr_pid)


@cache
def _clip_loop(file: str, left_out: frozenset[int]) -> tuple[int, int, Loop]:
    """Return the clip's ids and its loop, which all receivers of a process share."""
    data = resources.files("xg2g.simulator").joinpath("clips", file).read_bytes()
    recording = parse_recording(without_streams(data, left_out))
    (program,) = recording.programs
    loop = Loop(select_program(recording, program), program.pcr_pid)
    return recording.transport_stream_id, program.service_id, loop


def _fault(base: Service, name: str, number: int, conditions: Conditions) -> Service:
    """Return a copy with these faults; the namespace's number gives it a transponder of its own."""
    reference = base.reference._replace(namespace=_SATELLITE + number)
    return Service(reference, name, base.loop, conditions, has_guide=False)


def _announcing(base: Service, number: int) -> Service:
    """Return a copy of the base service whose PMT announces streams that are never sent."""
    service = _fault(base, "Announces a track that never comes", number, Conditions())
    service.loop = _clip_loop("one-hd.ts", frozenset())[2]
    return service


def _recorded(path: Path, namespace: int) -> list[Service]:
    """Return a service for each program; the namespace separates files with equal ids."""
    recording = load_recording(path)
    if not recording.programs:
        # Nothing says which packets belong together: all of them are sent.
        pids = frozenset(range(NULL_PID))
        recording = Recording(recording.packets, 0, (ProgramMap(1, NULL_PID, pids),))
    services = []
    for program in recording.programs:
        several = len(recording.programs) > 1
        name = f"{path.stem} {program.service_id}" if several else path.stem
        reference = ServiceReference(
            TV, program.service_id, recording.transport_stream_id, _NETWORK, namespace
        )
        loop = Loop(select_program(recording, program), program.pcr_pid)
        services.append(Service(reference, name, loop, has_guide=False))
    return services

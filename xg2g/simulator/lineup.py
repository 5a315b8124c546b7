"""The services that the simulated receiver offers, and the bouquets that they stand in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

from xg2g.simulator.conditions import Answer, Conditions
from xg2g.simulator.loop import Loop
from xg2g.simulator.recording import (
    ProgramMap,
    Recording,
    load_recording,
    parse_recording,
    select_program,
)
from xg2g.simulator.service import HD_TV, RADIO, TV, Service, ServiceReference
from xg2g.simulator.transport import NULL_PID

# Namespaces: 19.2 degrees east; cable, with the number of the file, for recordings.
_SATELLITE = 0xC00000
_CABLE = 0xFFFF0000
_NETWORK = 1


@dataclass(frozen=True)
class Entry:
    """A line of a bouquet: a reference as text, and the name shown for it."""

    reference: str
    name: str


@dataclass(frozen=True)
class Bouquet:
    """A list of services, markers and further bouquets."""

    file: str
    name: str
    entries: Sequence[Entry]

    @property
    def reference(self) -> str:
        """The reference with which the API lists the bouquet."""
        return f'1:7:1:0:0:0:0:0:0:0:FROM BOUQUET "{self.file}" ORDER BY bouquet'


@dataclass(frozen=True)
class Lineup:
    """All services by reference, and the bouquets: `tv` and `radio` at the root, `inner` below."""

    services: dict[ServiceReference, Service]
    tv: Sequence[Bouquet]
    radio: Sequence[Bouquet]
    inner: Sequence[Bouquet] = field(default=())


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


def standard_lineup(sources: Sequence[Path] = ()) -> Lineup:
    """The test cards, the services with faults, and a service for each program in `sources`.

    Raises RecordingError, with a message for the user, for a source that cannot be served.
    """
    one = _clip("one-hd.ts", "Card One HD", HD_TV)
    two = _clip("two-hd.ts", "Card Two HD", HD_TV)
    three = _clip("three-latm.ts", "Card Three & Friends", TV)
    four = _clip("four-radio.ts", "Radio Four", RADIO)
    five = _clip("five-scrambled.ts", "Card Five HD (scrambled)", HD_TV)
    five.has_guide = False
    six = _clip("six-changes.ts", "Card Six (sound changes)", TV)
    faults = [_fault(one, name, i + 1, c) for i, (name, c) in enumerate(_FAULTS)]
    recorded = [s for i, path in enumerate(sources) for s in _recorded(path, _CABLE + i)]
    services = {s.reference: s for s in [one, two, three, four, five, six, *faults, *recorded]}

    more = Bouquet("userbouquet.more.tv", "More", [_entry(three), _entry(one)])
    favourites = Bouquet(
        "userbouquet.favourites.tv",
        "Favourites (TV)",
        [
            Entry("1:64:0:0:0:0:0:0:0:0::Test cards", "Test cards"),
            _entry(one),
            _entry(two),
            # As bouquet editors store a renamed service.
            Entry(f"{three.reference}:{three.name}", three.name),
            Entry("1:320:0:0:0:0:0:0:0:0:", ""),
            Entry("1:64:1:0:0:0:0:0:0:0::Sound only", "Sound only"),
            _entry(four),
            Entry("1:832:2:0:0:0:0:0:0:0:", ""),
            _entry(five),
            _entry(six),
            Entry(more.reference, more.name),
            _entry(one),
        ],
    )
    tv = [favourites, Bouquet("userbouquet.faults.tv", "Faults", [_entry(s) for s in faults])]
    if recorded:
        entries = [_entry(service) for service in recorded]
        tv.append(Bouquet("userbouquet.sources.tv", "Sources", entries))
    radio = [Bouquet("userbouquet.favourites.radio", "Favourites (Radio)", [_entry(four)])]
    return Lineup(services, tv, radio, [more])


def _entry(service: Service) -> Entry:
    return Entry(str(service.reference), service.name)


def _clip(file: str, name: str, service_type: int) -> Service:
    transport_stream_id, service_id, loop = _clip_loop(file)
    reference = ServiceReference(
        service_type, service_id, transport_stream_id, _NETWORK, _SATELLITE
    )
    return Service(reference, name, loop)


@cache
def _clip_loop(file: str) -> tuple[int, int, Loop]:
    """A loop never changes: all receivers of a process share it."""
    data = resources.files("xg2g.simulator").joinpath("clips", file).read_bytes()
    recording = parse_recording(data)
    (program,) = recording.programs
    loop = Loop(select_program(recording, program), program.pcr_pid)
    return recording.transport_stream_id, program.service_id, loop


def _fault(base: Service, name: str, number: int, conditions: Conditions) -> Service:
    """The base service on a transponder of its own: the sub-network tells the references apart."""
    reference = base.reference._replace(namespace=_SATELLITE + number)
    return Service(reference, name, base.loop, conditions, has_guide=False)


def _recorded(path: Path, namespace: int) -> list[Service]:
    """A service for each program; the namespace keeps files with equal ids apart."""
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

"""Judges the load test, and prints its figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

from tests.load.load_test.steady import p99

if TYPE_CHECKING:
    from rich.console import Console

    from tests.load.load_test.audit import Held, Log, Memory, Sharing
    from tests.load.load_test.samples import Samples
    from tests.load.load_test.steady import Pauses
    from tests.load.load_test.tally import Tally
    from tests.load.load_test.troubles import Troubles

GROWTH_BYTES = 8 * 2**20
GROWTH = 0.05
"""Memory may grow so much from the second sixth of the time to the last, whichever is more: which
streams happen to run then differs, and an allocator is not a ledger."""
MEMORY_JUDGED_S = 900.0
"""In a shorter run the second sixth is one of growth still: not every buffer was in use by then."""

HELD_S = 0.1
"""What the event loop may be held for, with thirty viewers in one turn of it."""

FOUND_S = 8.0
"""For who vanished to be found: 5 s, and what a machine under load adds."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What there is to judge and to report."""

    viewers: int
    by_hls: int
    """Viewers beside them."""
    lasted_s: float
    tally: Tally
    troubles: Troubles
    samples: Samples
    memory: Memory
    pauses: Pauses
    sharing: Sharing
    base: Held
    """With nobody there, before the first came."""
    left: Held
    """After the last had gone."""
    freed_after_s: float
    left_at_receiver: list[str]
    ended: dict[str, int]
    """How streams ended, by the daemon's own count."""
    exit_code: int | None
    log: Log
    longest_hold_s: float = 0.0
    """Of the daemon's event loop."""


def failures(run: Run) -> list[str]:
    """A line for each promise that was broken."""
    wrong = [
        f"left over: {now} {name}, at first {base}"
        for name, (now, base) in run.left.beyond(run.base).items()
    ]
    wrong += [f"{name} is not told" for name, count in asdict(run.left).items() if count < 0]
    if run.left_at_receiver:
        wrong.append(f"the receiver still sends {run.left_at_receiver}")
    for name, series in run.memory.series().items():
        _, early, *_, late = run.memory.medians(series)
        grown = late - early > max(GROWTH_BYTES, GROWTH * early)
        if grown and run.lasted_s >= MEMORY_JUDGED_S:
            wrong.append(f"{name} memory grew from {_mib(early)} to {_mib(late)}")
    if any(after_s > FOUND_S for after_s in run.log.found_after_s(run.tally.vanished)):
        wrong.append(f"a viewer who had vanished was kept for more than {FOUND_S:g} s")
    if run.longest_hold_s > HELD_S:
        wrong.append(f"the event loop was held for {run.longest_hold_s * 1000:.0f} ms")
    if held_up := run.pauses.held_up():
        wrong.append(held_up)
    wrong += [f"log: {line}" for line in run.log.complaints]
    wrong += run.tally.wrong
    wrong += [
        f"{found.channel}: {found.wrong}{' though all was calm' if found.calm else ''}"
        for found in run.samples.findings
        if found.wrong
    ]
    if run.viewers and not run.samples.findings:
        wrong.append("no stream was looked at")
    if run.exit_code:
        wrong.append(f"the daemon ended with {run.exit_code}")
    return wrong


def report(console: Console, run: Run) -> None:
    """Say what happened."""

    def line(name: str, text: object) -> None:
        console.print(f"  {name:<22} {text}", markup=False)

    tally, findings = run.tally, run.samples.findings
    console.print(f"{run.viewers} viewers and {run.by_hls} by HLS, {run.lasted_s:.0f} s")
    line("viewers", _counts(tally.acts))
    line("receiver", _counts(Counter(name for _, name in run.troubles.happened)))
    line("answers to streams", _counts(tally.answers))
    line("longest wait for one", f"{tally.longest_wait_s:.1f} s")
    line("connections broken", _counts(tally.broken) or "none")
    line("after a pause", f"went on {tally.resumed[True]}, ended {tally.resumed[False]}")
    for name, pauses_s in (
        ("pauses, slow beside", run.pauses.beside_slow),
        ("pauses, none beside", run.pauses.without),
    ):
        if len(pauses_s) > 1:
            half, most, longest = (
                f"{value * 1000:.0f}" for value in (median(pauses_s), p99(pauses_s), max(pauses_s))
            )
            line(name, f"median {half}, p99 {most}, longest {longest} ms ({len(pauses_s)})")
    line("how streams ended", _counts(Counter(run.ended)))
    if found_s := run.log.found_after_s(tally.vanished):
        times = f"median {median(found_s):.1f} s, at most {found_s[-1]:.1f} s"
        line("vanished, found after", f"{times} ({len(found_s)} streams)")
    calm = sum(found.calm for found in findings)
    bad = sum(bool(found.wrong) for found in findings)
    line("streams looked at", f"{len(findings)}, {calm} of them in calm; with errors {bad}")
    line("all was free after", f"{run.freed_after_s:.1f} s")
    base, left = asdict(run.base), asdict(run.left)
    line("held before, after", ", ".join(f"{it} {base[it]}, {left[it]}" for it in base))
    sharing = run.sharing
    if sharing.viewers:
        shared = f"{median(sharing.viewers):g} viewers on {median(sharing.upstreams):g} upstreams"
        line("shared", f"{shared} (medians), {_mib(max(sharing.ring_bytes))} kept at most")
    line("receiver sends still", run.left_at_receiver or "nothing")
    for name, series in run.memory.series().items():
        medians = ", ".join(f"{value / 2**20:.1f}" for value in run.memory.medians(series))
        line(f"memory, {name}", f"{medians} MiB by sixths (medians), at most {_mib(max(series))}")
    if run.lasted_s < MEMORY_JUDGED_S:
        line("", f"not judged in a run of less than {MEMORY_JUDGED_S / 60:g} minutes")
    line("longest hold of loop", f"{run.longest_hold_s * 1000:.0f} ms")
    line("lines of the log", _counts(Counter(run.log.levels)))
    line("exit code", run.exit_code)


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())


def _mib(bytes_: float) -> str:
    return f"{bytes_ / 2**20:.1f} MiB"

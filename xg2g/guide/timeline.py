"""A channel's programmes as a line without overlaps, which a new reading changes as little as
possible.

Receivers repeat events, let them overlap by minutes, and know less after a restart than before.
Clients find a programme to record by its begin; so a begin moves only when the broadcaster moved
it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .programme import Programme

SAME_S = 60
"""Limit for the difference between the begins of one programme in two tables of a broadcast
(present/following and schedule)."""

OPEN_LIMIT_S = 24 * 3600
"""Longest time for which a programme with unknown end lasts until the next one begins."""
OPEN_LAST_S = 3600
"""How long it lasts when no other follows within `OPEN_LIMIT_S`."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes that turn the stored line into the new one."""

    put: tuple[Programme, ...]
    """Programmes that are new, or changed under their begin."""
    delete: tuple[int, ...]
    """Begins of programmes to delete."""


def tidy(programmes: Iterable[Programme]) -> list[Programme]:
    """Sort programmes, drop repeated ones, and end each where the next begins, also those with
    unknown end. The order of the input makes no difference."""
    return _closed(_sorted(programmes), ())


def _sorted(programmes: Iterable[Programme]) -> list[Programme]:
    """As `tidy`, but leave programmes with unknown end open."""
    by_begin: dict[int, Programme] = {}
    for programme in programmes:
        other = by_begin.get(programme.begin_s)
        by_begin[programme.begin_s] = _one_of(other, programme) if other else programme
    line: list[Programme] = []
    for _, programme in sorted(by_begin.items()):
        if line and _is_again(line[-1], programme):
            line[-1] = _one_of(line[-1], programme)
            continue
        if line and line[-1].end_s > programme.begin_s:
            line[-1] = replace(line[-1], end_s=programme.begin_s)
        line.append(programme)
    return line


def merge(stored: Sequence[Programme], received: Iterable[Programme]) -> Changes:
    """Merge received programmes into the stored line, which `tidy` made.

    Received programmes replace stored ones at their time. At other times the stored line stays: a
    receiver that has forgotten its guide sends nothing.
    """
    new = _sorted(_anchored(stored, _sorted(received)))
    begins = {programme.begin_s for programme in new}
    known = {programme.begin_s: programme for programme in stored}
    cut = []
    delete = []
    at = 0
    for old in stored:
        while at < len(new) and new[at].end_s <= old.begin_s:
            at += 1
        if old.begin_s in begins or at == len(new) or new[at].begin_s >= old.end_s:
            continue
        left_s = new[at].begin_s - old.begin_s
        if left_s * 2 > old.end_s - old.begin_s:
            # The next one begins a little earlier than before.
            cut.append(replace(old, end_s=new[at].begin_s))
        else:
            delete.append(old.begin_s)
    closed = _closed(new, known.keys() - set(delete))
    put = [programme for programme in closed if known.get(programme.begin_s) != programme]
    return Changes((*put, *cut), tuple(delete))


def _closed(line: Sequence[Programme], others: Iterable[int]) -> list[Programme]:
    """End open programmes where the next programme of the line, or of `others`, begins."""
    begins = sorted({*others, *(programme.begin_s for programme in line)})
    return [
        replace(programme, end_s=_end_s(programme.begin_s, begins))
        if programme.is_open
        else programme
        for programme in line
    ]


def _end_s(begin_s: int, begins: Sequence[int]) -> int:
    """Return the end of a programme whose end is unknown."""
    following = bisect_right(begins, begin_s)
    if following < len(begins) and begins[following] <= begin_s + OPEN_LIMIT_S:
        return begins[following]
    return begin_s + OPEN_LAST_S


def _anchored(stored: Sequence[Programme], received: Iterable[Programme]) -> Iterable[Programme]:
    """Give received programmes their stored begin, if it is so near that only another table of the
    broadcast differs."""
    by_event: dict[tuple[int, str], list[Programme]] = {}
    for old in stored:
        by_event.setdefault((old.event, old.title), []).append(old)
    for programme in received:
        for old in by_event.get((programme.event, programme.title), ()):
            if abs(old.begin_s - programme.begin_s) < SAME_S:
                end_s = max(programme.end_s, old.begin_s + 1)
                if programme.is_open:
                    end_s = old.begin_s
                programme = replace(programme, begin_s=old.begin_s, end_s=end_s)
                break
        yield programme


def _is_again(one: Programme, next_one: Programme) -> bool:
    is_near = next_one.begin_s - one.begin_s < SAME_S
    return is_near and (next_one.event, next_one.title) == (one.event, one.title)


def _one_of(one: Programme, other: Programme) -> Programme:
    """Join two entries of one programme: the more detailed one, with the widest times."""
    begin_s = min(one.begin_s, other.begin_s)
    end_s = max((it.end_s for it in (one, other) if not it.is_open), default=begin_s)
    return replace(max(one, other, key=_worth), begin_s=begin_s, end_s=end_s)


def _worth(programme: Programme) -> tuple[int, int, str, str, str, int]:
    """Return the sort key that prefers the more detailed of two programmes; the rest of it only
    makes the choice deterministic."""
    title, short, long = programme.title, programme.short, programme.long
    length = len(title) + len(short) + len(long)
    return length, programme.event, title, short, long, programme.genre or 0

"""What a new reading of the receiver may change in the lineup."""

from collections.abc import Iterable, Mapping, Sequence

from .arrangement import Candidate

SMALL = 10
"""Size of a lineup that may lose any share of its channels."""


def assign(taken: Mapping[str, int], candidates: Iterable[Candidate]) -> dict[str, int]:
    """Return `taken` with a number for every candidate.

    `taken` holds the numbers of all channels, past and present: a channel that comes back gets its
    earlier number. A new channel takes its position at the receiver if that number is free.
    Otherwise it takes the next number above all others.
    """
    numbers = dict(taken)
    used = set(taken.values())
    late = []
    top = max(used, default=0)
    for candidate in candidates:
        top = max(top, candidate.position)
        if candidate.id in numbers:
            continue
        if candidate.position in used or candidate.position < 1:
            late.append(candidate)
        else:
            numbers[candidate.id] = candidate.position
            used.add(candidate.position)
    for number, candidate in enumerate(late, top + 1):
        numbers[candidate.id] = number
    return numbers


def is_collapse(listed: Sequence[str], seen: Iterable[str]) -> bool:
    """Return whether a reading (`seen`) lacks so many of the `listed` channels that the receiver is
    probably starting up. Both are ids of channels."""
    if not listed:
        return False
    left = len(set(listed).intersection(seen))
    return left == 0 or (len(listed) > SMALL and left * 2 < len(listed))

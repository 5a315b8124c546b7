"""What a new reading of the receiver may change in the lineup, and what it may not."""

from collections.abc import Iterable, Mapping, Sequence

from .arrangement import Candidate

SMALL = 10
"""Channels of a lineup that may shrink as it likes."""


def assign(taken: Mapping[str, int], candidates: Iterable[Candidate]) -> dict[str, int]:
    """Give every candidate its number.

    `taken` holds the number of every channel that ever was, and a channel keeps the one it has,
    whether it was away or not. A new channel takes its position at the receiver when no channel
    has that number; those that find theirs taken follow above all, in order.
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
    """Whether a reading lacks so many of the channels that are listed now (by id) that the
    receiver is more likely to be starting up than to have been rearranged."""
    if not listed:
        return False
    left = len(set(listed).intersection(seen))
    return left == 0 or (len(listed) > SMALL and left * 2 < len(listed))

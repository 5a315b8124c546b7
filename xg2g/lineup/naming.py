"""Finds bouquets by the names that users write."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

LISTED = 20
"""Maximum number of names in one line; a receiver may have hundreds of bouquets."""
_LONGEST_SHOWN = 64
_NEAR = 0.6
"""Similarity from which on a name was probably meant (difflib's ratio)."""
_KIND = re.compile(r"\s*\((tv|radio)\)$")
"""End of the names of bouquets that Enigma2 makes itself."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The bouquets that a user's names stand for."""

    names: frozenset[str]
    """Names as the receiver has them."""
    missing: tuple[str, ...]
    """Names as the user wrote them; the receiver has no such bouquet."""


def choose(wanted: Sequence[str], there: Iterable[str]) -> Choice:
    """Find the wanted bouquets among `there`, the names of all bouquets."""
    there = tuple(there)
    found = {name: matching(name, there) for name in whole_names(wanted, there)}
    missing = tuple(name for name, hits in found.items() if not hits)
    return Choice(frozenset().union(*found.values()), missing)


def matching(wanted: str, there: Iterable[str]) -> frozenset[str]:
    """Return the names in `there` that `wanted` stands for.

    Case is ignored. If a name equals `wanted`, only that one is returned; otherwise a final "(TV)"
    or "(Radio)" may be missing on either side.
    """
    there = tuple(there)
    folded = _folded(wanted)
    if exact := frozenset(name for name in there if _folded(name) == folded):
        return exact
    stem, kind = _divided(folded)
    candidates = ((name, *_divided(_folded(name))) for name in there)
    return frozenset(
        name
        for name, its_stem, its_kind in candidates
        if its_stem == stem and (not kind or not its_kind or kind == its_kind)
    )


def unknown(missing: Sequence[str], there: Iterable[str], *, kind: str = "bouquet") -> str:
    """Return one line for a user about unknown names: what exists, and what they may have meant."""
    names = tuple(dict.fromkeys(there))
    nothing = f"no {kind} is called {_listed(missing, ' or ')}"
    if not names:
        return f"{nothing}; there is no {kind}"
    more = len(names) - LISTED
    others = f" and {more} more" if more > 0 else ""
    meant = dict.fromkeys(near for name in missing if (near := _nearest(name, names)))
    question = f"; did you mean {_listed(tuple(meant), ' and ')}?" if meant else ""
    return f"{nothing}; there are: {_listed(names[:LISTED], ', ')}{others}{question}"


def whole_names(wanted: Sequence[str], there: Iterable[str]) -> tuple[str, ...]:
    """Join names that were split at a comma inside a bouquet's name.

    A list in one line is split at its commas before the receiver's names are known. Neighbours that
    together are the name of a bouquet in `there` are joined, the longest first, unless each of them
    is the name of a bouquet. Case is ignored. Every other name stays.
    """
    whole: dict[str, str] = {}
    for name in there:
        whole.setdefault(_KIND.sub("", name.casefold()), name)
        whole[name.casefold()] = name
    cut = {_pieces(folded): name for folded, name in whole.items() if "," in name}
    longest = max(map(len, cut), default=0)
    names: list[str] = []
    at = 0
    while at < len(wanted):
        for end in range(min(at + longest, len(wanted)), at + 1, -1):
            run = tuple(name.casefold() for name in wanted[at:end])
            if run in cut and not all(name in whole for name in run):
                names.append(cut[run])
                at = end
                break
        else:
            names.append(wanted[at])
            at += 1
    return tuple(names)


def _pieces(name: str) -> tuple[str, ...]:
    return tuple(piece.strip() for piece in name.casefold().split(",") if piece.strip())


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _divided(folded: str) -> tuple[str, str]:
    """Return the name without a final "(tv)" or "(radio)", and that word or an empty text."""
    kind = _KIND.search(folded)
    return (folded[: kind.start()], kind[1]) if kind else (folded, "")


def _nearest(wanted: str, names: Sequence[str]) -> str | None:
    stems = {_divided(_folded(name))[0]: name for name in reversed(names)}
    stem, _ = _divided(_folded(wanted)[:_LONGEST_SHOWN])
    near = get_close_matches(stem, stems, n=1, cutoff=_NEAR)
    near += [it for it in stems if stem and (stem in it or (it and it in stem))]
    return stems[near[0]] if near else None


def _listed(names: Sequence[str], between: str) -> str:
    return between.join(f'"{_shown(name)}"' for name in names)


def _shown(name: str) -> str:
    """Return the name in a form that fits a line; requests may contain any text."""
    printable = "".join(c if c.isprintable() else "?" for c in name)
    return printable if len(printable) <= _LONGEST_SHOWN else f"{printable[:_LONGEST_SHOWN]}..."

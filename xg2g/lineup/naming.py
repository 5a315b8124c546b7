"""Names of bouquets as somebody wrote them, and as the receiver has them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

LISTED = 20
"""Names in one line; a receiver may have hundreds of bouquets."""
_LONGEST_SHOWN = 64
_NEAR = 0.6
"""Similarity of a name that was probably meant (difflib's ratio)."""
_KIND = re.compile(r"\s*\((tv|radio)\)$")
"""Enigma2 ends the names of the bouquets that it makes itself so."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of names that somebody wrote."""

    names: frozenset[str]
    """As the receiver has them."""
    missing: tuple[str, ...]
    """As they were written; the receiver has none that is called so."""


def choose(wanted: Sequence[str], there: Iterable[str]) -> Choice:
    """Find the bouquets that are wanted among the names of all in `there`."""
    there = tuple(there)
    found = {name: matching(name, there) for name in whole_names(wanted, there)}
    missing = tuple(name for name, hits in found.items() if not hits)
    return Choice(frozenset().union(*found.values()), missing)


def matching(wanted: str, there: Iterable[str]) -> frozenset[str]:
    """The names in `there` that `wanted` means.

    Upper and lower case are the same. A name that is there as it was written counts alone;
    otherwise a final "(TV)" or "(Radio)" may be left out on either side.
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
    """One line for a user who wrote names that nothing of this kind has: what there is, and what
    they may have meant."""
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
    """Join names that were cut at a comma which belongs to a bouquet's name.

    A list in one line is cut at its commas before the receiver's names are known. Neighbours that
    together are the name of a bouquet in `there` become that name, the longest first, unless each
    of them names a bouquet of its own. Upper and lower case are the same. Every other name stays.
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
    """The name, and "tv" or "radio" if it ends so."""
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
    """The name as far as it can be shown on a line: requests bring any."""
    printable = "".join(c if c.isprintable() else "?" for c in name)
    return printable if len(printable) <= _LONGEST_SHOWN else f"{printable[:_LONGEST_SHOWN]}..."

"""Names of bouquets as somebody wrote them, and as the receiver has them."""

from collections.abc import Iterable, Sequence


def whole_names(wanted: Sequence[str], there: Iterable[str]) -> tuple[str, ...]:
    """Join names that were cut at a comma which belongs to a bouquet's name.

    A list in one line is cut at its commas before the receiver's names are known. Neighbours that
    together are the name of a bouquet in `there` become that name, the longest first, unless each
    of them names a bouquet of its own. Upper and lower case are the same. Every other name stays.
    """
    whole = {name.casefold(): name for name in there}
    cut = {_pieces(name): name for name in whole.values() if "," in name}
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

"""Numbers that stay, over everything that can happen to a lineup."""

from hypothesis import given
from hypothesis import strategies as st

from xg2g.lineup.arrangement import Candidate
from xg2g.lineup.numbering import assign, is_collapse

IDS = [f"channel-{n}" for n in range(12)]


def candidates(ids: list[str], gaps: list[int]) -> list[Candidate]:
    position, made = 0, []
    for id_, gap in zip(ids, gaps, strict=False):
        position += gap
        made.append(Candidate(id_, position, id_, (), False, "", ""))
    return made


READINGS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(IDS), unique=True), st.lists(st.integers(1, 3), min_size=12)
    ),
    max_size=8,
)


@given(READINGS)
def test_no_reading_ever_changes_or_shares_a_number(
    readings: list[tuple[list[str], list[int]]],
) -> None:
    numbers: dict[str, int] = {}
    for ids, gaps in readings:
        seen = candidates(ids, gaps)
        after = assign(numbers, seen)
        assert after.items() >= numbers.items()
        assert set(after) == {*numbers, *ids}
        assert len(set(after.values())) == len(after)
        assert all(number > 0 for number in after.values())
        # A new channel has the receiver's number unless that is somebody else's.
        for candidate in seen:
            if candidate.id not in numbers and candidate.position not in numbers.values():
                assert after[candidate.id] == candidate.position
        numbers = after


def test_first_numbers_are_the_receivers() -> None:
    assert assign({}, candidates(["a", "b", "c"], [1, 1, 2])) == {"a": 1, "b": 2, "c": 4}


def test_a_channel_inserted_between_others_gets_a_number_above_all() -> None:
    known = {"a": 1, "b": 2}
    after = assign(known, candidates(["a", "new", "b"], [1, 1, 1]))
    assert after == {"a": 1, "b": 2, "new": 4}


def test_a_channel_that_was_away_comes_back_under_its_number() -> None:
    known = assign({}, candidates(["a", "b"], [1, 1]))
    without = assign(known, candidates(["b", "new"], [1, 1]))
    assert without["new"] == 3
    assert assign(without, candidates(["a", "b"], [1, 1]))["a"] == 1


def test_the_loss_of_most_channels_is_a_collapse() -> None:
    listed = [f"{n}" for n in range(20)]
    assert is_collapse(listed, [])
    assert is_collapse(listed, listed[:9])
    assert not is_collapse(listed, listed[:10])
    assert not is_collapse(listed, [*listed, "new"])
    assert not is_collapse([], [])
    # Somebody's three favourites may become one.
    assert not is_collapse(listed[:3], listed[:1])
    assert is_collapse(listed[:3], [])

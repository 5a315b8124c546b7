"""One line of programmes, out of what receivers say."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from xg2g.guide.programme import Programme
from xg2g.guide.timeline import OPEN_LAST_S, SAME_S, Changes, merge, tidy


def programme(
    begin_s: int, end_s: int, title: str = "Title", *, event: int = 1, long: str = ""
) -> Programme:
    return Programme(begin_s, end_s, event, title, "", long, None)


def programmes_of(scale: int) -> st.SearchStrategy[list[Programme]]:
    """Programmes that begin and end at multiples of `scale` seconds."""
    return st.lists(
        st.builds(
            lambda begin, length, title, event, long: programme(
                begin * scale, (begin + length) * scale, title, event=event, long=long
            ),
            st.integers(0, 60),
            # 0: it does not tell its end.
            st.integers(0, 30),
            st.sampled_from("ABC"),
            st.integers(1, 3),
            st.sampled_from(["", "x", "yy"]),
        ),
        max_size=10,
    )


PROGRAMMES = programmes_of(20)


def applied(stored: list[Programme], changes: Changes) -> list[Programme]:
    """As the store applies them."""
    line = {old.begin_s: old for old in stored}
    for begin_s in changes.delete:
        del line[begin_s]
    return sorted(
        (line | {new.begin_s: new for new in changes.put}).values(), key=lambda it: it.begin_s
    )


def is_line(programmes: list[Programme]) -> bool:
    return all(it.begin_s < it.end_s for it in programmes) and all(
        one.end_s <= other.begin_s for one, other in zip(programmes, programmes[1:], strict=False)
    )


@given(PROGRAMMES, st.randoms())
def test_a_tidy_line_has_no_overlaps_for_any_order_of_the_programmes(
    programmes: list[Programme], random: object
) -> None:
    line = tidy(programmes)
    assert is_line(line)
    random.shuffle(programmes)  # type: ignore[attr-defined]
    assert tidy(programmes) == line
    assert tidy(line) == line
    # A programme is left out only for another one at about the same time.
    for it in programmes:
        assert any(0 <= it.begin_s - kept.begin_s < SAME_S for kept in line)


@given(st.lists(PROGRAMMES, max_size=5))
def test_after_any_reading_the_line_has_no_overlaps_and_the_newest_programmes(
    readings: list[list[Programme]],
) -> None:
    line: list[Programme] = []
    for received in readings:
        line = applied(line, merge(line, received))
        assert is_line(line)
        for it in tidy(received):
            assert any(abs(kept.begin_s - it.begin_s) < SAME_S for kept in line)


@given(st.lists(programmes_of(SAME_S), min_size=1, max_size=4))
def test_the_same_reading_again_changes_nothing(readings: list[list[Programme]]) -> None:
    line: list[Programme] = []
    for received in readings:
        line = applied(line, merge(line, received))
    assert merge(line, readings[-1]) == Changes((), ())
    assert merge(line, line) == Changes((), ())


@given(PROGRAMMES)
def test_a_receiver_that_has_forgotten_its_guide_deletes_nothing(
    received: list[Programme],
) -> None:
    line = tidy(received)
    assert merge(line, []) == Changes((), ())
    assert merge(line, line[:1]) == Changes((), ())


def test_an_overrun_ends_where_the_next_begins() -> None:
    line = tidy([programme(0, 100, "A"), programme(90, 200, "B")])
    assert [(it.begin_s, it.end_s) for it in line] == [(0, 90), (90, 200)]


def test_of_two_programmes_at_one_time_the_more_detailed_one_stays() -> None:
    (kept,) = tidy([programme(0, 100, long="short"), programme(0, 90, long="much longer")])
    assert (kept.long, kept.end_s) == ("much longer", 100)


def test_a_begin_that_two_tables_give_a_little_differently_does_not_move() -> None:
    stored = [programme(1000, 2000, "News", event=7)]
    jittered = programme(1030, 2030, "News", event=7)
    (kept,) = applied(stored, merge(stored, [jittered]))
    assert (kept.begin_s, kept.end_s) == (1000, 2030)


def test_a_begin_that_the_broadcaster_moved_moves() -> None:
    stored = [programme(1000, 2000, "News", event=7), programme(2000, 3000, "Film", event=8)]
    moved = [programme(1300, 2300, "News", event=7), programme(2300, 3300, "Film", event=8)]
    line = applied(stored, merge(stored, moved))
    assert [(it.begin_s, it.title) for it in line] == [(1300, "News"), (2300, "Film")]


def test_a_programme_that_is_changed_under_its_begin_is_replaced() -> None:
    stored = [programme(0, 100, "Match")]
    changes = merge(stored, [dataclasses.replace(stored[0], title="Film instead")])
    assert [it.title for it in changes.put] == ["Film instead"]
    assert changes.delete == ()


def test_a_programme_that_others_replace_is_deleted() -> None:
    stored = [programme(0, 1000, "Long film")]
    received = [programme(0, 100, "News"), programme(100, 1000, "Special")]
    assert [it.title for it in applied(stored, merge(stored, received))] == ["News", "Special"]


def test_a_programme_ends_earlier_when_the_next_one_begins_earlier() -> None:
    stored = [programme(0, 1000, "Film")]
    line = applied(stored, merge(stored, [programme(950, 2000, "News")]))
    assert [(it.title, it.end_s) for it in line] == [("Film", 950), ("News", 2000)]


def test_a_programme_with_unknown_end_lasts_until_the_next_one() -> None:
    line = tidy([programme(0, 0, "A"), programme(5400, 5400, "B"), programme(7000, 9000, "C")])
    assert [(it.begin_s, it.end_s) for it in line] == [(0, 5400), (5400, 7000), (7000, 9000)]


def test_a_programme_with_unknown_end_does_not_last_for_days() -> None:
    line = tidy([programme(0, 0, "A"), programme(3 * 86400, 3 * 86400 + 60, "B")])
    assert line[0].end_s == OPEN_LAST_S


def test_an_unknown_end_changes_no_stored_programme() -> None:
    stored = [programme(0, 100, "A"), programme(100, 200, "B")]
    assert applied(stored, merge(stored, [programme(0, 0, "A")])) == stored
    # Another event of which the end is told afterwards.
    line = applied([], merge([], [programme(0, 0, "A")]))
    assert applied(line, merge(line, [programme(0, 1800, "A")])) == [programme(0, 1800, "A")]


def test_of_two_entries_for_one_programme_the_known_end_counts() -> None:
    (kept,) = tidy([programme(30, 30, "A"), programme(0, 100, "A")])
    assert (kept.begin_s, kept.end_s) == (0, 100)

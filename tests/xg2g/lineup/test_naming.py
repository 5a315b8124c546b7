"""Names of bouquets as people write them."""

import pytest

from xg2g.lineup.naming import LISTED, choose, unknown

THERE = ("Favourites (TV)", "Sports", "News (TV)", "Film, Serien", "Favourites (Radio)")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Favourites (TV)", {"Favourites (TV)"}),
        ("favourites (radio)", {"Favourites (Radio)"}),
        ("Favourites", {"Favourites (TV)", "Favourites (Radio)"}),
        ("NEWS", {"News (TV)"}),
        ("Sports (TV)", {"Sports"}),
        (" sports ", {"Sports"}),
        ("News (Radio)", set()),
        ("Sport", set()),
        ("(TV)", set()),
        ("", set()),
    ],
)
def test_case_is_ignored_and_the_kind_at_the_end_may_be_missing(
    wanted: str, found: set[str]
) -> None:
    assert choose([wanted], THERE).names == found


def test_if_a_name_matches_as_written_only_that_one_counts() -> None:
    there = ("Favourites", "Favourites (TV)")
    assert choose(["favourites"], there).names == {"Favourites"}
    assert choose(["Favourites (TV)"], there).names == {"Favourites (TV)"}


def test_a_name_that_was_split_at_its_comma_is_joined() -> None:
    assert choose(["Film", "Serien"], THERE).names == {"Film, Serien"}
    with_kind = choose(["film", "serien", "News"], ["Film, Serien (TV)", "News (TV)"])
    assert with_kind.names == {"Film, Serien (TV)", "News (TV)"}
    assert not with_kind.missing


def test_one_line_lists_what_exists_and_what_was_probably_meant() -> None:
    assert unknown(["Sprot"], THERE[:3]) == (
        'no bouquet is called "Sprot"; there are: "Favourites (TV)", "Sports", "News (TV)"; '
        'did you mean "Sports"?'
    )
    assert unknown(["Sprot", "Nwes"], THERE[:3]) == (
        'no bouquet is called "Sprot" or "Nwes"; there are: "Favourites (TV)", "Sports", '
        '"News (TV)"; did you mean "Sports" and "News (TV)"?'
    )
    assert unknown(["Zzz"], ["Sports"]) == 'no bouquet is called "Zzz"; there are: "Sports"'
    assert unknown(["x"], []) == 'no bouquet is called "x"; there is no bouquet'


def test_a_part_of_a_name_is_near() -> None:
    assert unknown(["Erste"], ["ZDF", "Das Erste HD"], kind="channel").endswith(
        'did you mean "Das Erste HD"?'
    )


def test_the_line_stays_one_line_for_any_name() -> None:
    line = unknown(["a\nb" + "x" * 60_000], [f"Bouquet {n}" for n in range(500)])
    assert "\n" not in line
    assert len(line) < 1000
    assert f"and {500 - LISTED} more" in line

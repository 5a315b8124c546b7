"""Episodes and genres, out of what broadcasters write."""

import pytest

from xg2g.guide import showing as remarks
from xg2g.guide.categories import FEATURE_S, categories
from xg2g.guide.episodes import find_episode
from xg2g.guide.showing import LIVE_GENRE, find_showing


@pytest.mark.parametrize(
    ("text", "xmltv_ns", "onscreen"),
    [
        ("S01E05", "0.4.", "S01E05"),
        ("Die Rückkehr (S2 E13)", "1.12.", "S02E13"),
        ("s03.e04", "2.3.", "S03E04"),
        ("S1, Ep. 7", "0.6.", "S01E07"),
        ("Staffel 2, Folge 3", "1.2.", "S02E03"),
        ("2. Staffel, Folge 3: Das Ende", "1.2.", "S02E03"),
        ("12. Staffel, 104. Folge", "11.103.", "S12E104"),
        ("Folge 3, Staffel 2", "1.2.", "S02E03"),
        ("Season 4 - Episode 9", "3.8.", "S04E09"),
        ("Saison 1, épisode 2", "0.1.", "S01E02"),
        ("Stagione 3 Episodio 11", "2.10.", "S03E11"),
        ("Temporada 5, Capítulo 6", "4.5.", "S05E06"),
        ("Seizoen 2, Aflevering 1", "1.0.", "S02E01"),
        ("Folge 3412", ".3411.", "E3412"),
        ("Der Fall (3/8)", ".2.", "E03"),
        ("Teil 2", ".1.", "E02"),
    ],
)
def test_an_episode_is_found_in_the_ways_that_broadcasters_write_it(
    text: str, xmltv_ns: str, onscreen: str
) -> None:
    for texts in ((text, "", ""), ("Title", text, ""), ("Title", "", f"{text}\nMore.")):
        episode = find_episode(*texts)
        assert episode is not None
        assert (episode.xmltv_ns, episode.onscreen) == (xmltv_ns, onscreen)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Tatort",
        "Der 24. Dezember (24/12)",
        "Um 20.15 Uhr, Folgen des Krieges",
        "Die Folge 0",
        "S04",
        "E05",
        "PS5 Elite",
        "USS01E05",
        "Formel 1: 3/8",
        "(1/1)",
        "(0/5)",
        "Staffel 2",
        "7. Staffel",
        "Apollo 13 (1995)",
        "Teil der Familie",
    ],
)
def test_ambiguous_texts_name_no_episode(text: str) -> None:
    assert find_episode(text, text, text) is None


def test_the_least_ambiguous_form_counts_in_any_text() -> None:
    episode = find_episode("Title (2/6)", "Folge 12", "S03E04 of the series")
    assert episode is not None
    assert episode.xmltv_ns == "2.3."


def test_only_the_beginning_of_a_description_is_searched() -> None:
    assert find_episode("Talk", "", "x" * 300 + " Staffel 2, Folge 3") is None


def test_the_part_is_empty_so_that_kodi_reads_the_episode() -> None:
    episode = find_episode("S02E03", "", "")
    assert episode is not None
    season, number, part = episode.xmltv_ns.split(".")
    assert (int(season) + 1, int(number) + 1, part) == (2, 3, "")


def words(genre: int | None, *, minutes: int = 45, is_episode: bool = False) -> tuple[str, ...]:
    return categories(genre, duration_s=minutes * 60, is_episode=is_episode)


def test_films_series_news_sports_and_children_have_the_words_of_jellyfin_and_plex() -> None:
    assert words(0x10, minutes=90)[0] == "Movie"
    assert words(0x14, minutes=90, is_episode=True)[0] == "Series"
    assert words(0x15)[0] == "Series"
    assert words(0x20)[0] == "News"
    assert words(0x43) == ("Sports", "Football")
    assert words(0x55) == ("Kids", "Cartoons / Puppets")


def test_short_drama_is_not_a_film() -> None:
    assert words(0x11, minutes=FEATURE_S // 60 - 1) == ("Detective / Thriller",)


def test_each_category_is_listed_once() -> None:
    assert words(0x40) == ("Sports",)
    assert words(0x23) == ("Documentary",)


@pytest.mark.parametrize("genre", [None, 0x00, 0x0F, 0xB0, 0xC3, 0xF1, 0x1000, -1])
def test_a_genre_without_content_has_no_category(genre: int | None) -> None:
    assert words(genre) == ()


def test_an_undefined_finer_genre_counts_as_the_general_one() -> None:
    assert words(0x9F) == ("Education / Science / Factual",)


def showing(title: str, short: str, long: str, genre: int | None = None) -> set[str]:
    """Names of what is known."""
    found = find_showing(title, short, long, genre)
    return {name for name in ("live", "premiere", "new", "repeat") if getattr(found, name)}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("Live", {"live"}),
        ("Bundesliga, 3. Spieltag, live", {"live"}),
        ("Live\nin HD", {"live"}),
        ("Tennis (Live)", {"live"}),
        ("Football - en direct", {"live"}),
        ("Spielfilm, Free-TV-Premiere", {"premiere"}),
        ("TV-Premiere", {"premiere"}),
        ("Erstausstrahlung", {"new"}),
        ("S02E03, neue Folge", {"new"}),
        ("Drama (Wh.)", {"repeat"}),
        ("Drama, Wdh.", {"repeat"}),
        ("Wiederholung vom 12.03.2024", {"repeat"}),
        ("Drama (R)", {"repeat"}),
        ("Série, rediffusion", {"repeat"}),
        ("Live, TV-Premiere", {"live", "premiere"}),
    ],
)
def test_a_showing_is_known_in_the_ways_that_broadcasters_write_it(
    text: str, known: set[str]
) -> None:
    assert showing("Title", text, "") == known
    assert showing("Title", "", f"{text}\nMore of it.") == known


@pytest.mark.parametrize(
    ("title", "known"),
    [
        ("New: EastEnders", {"new"}),
        ("LIVE: Sport", {"live"}),
        ("Tatort (Wh.)", {"repeat"}),
        ("Tatort [Neu]", {"new"}),
        ("Tatort (R)", {"repeat"}),
        ("Live", set()),
        ("Premiere", set()),
        ("Live in Concert", set()),
        ("New York: City", set()),
        ("Neues aus der Anstalt", set()),
    ],
)
def test_only_the_begin_and_the_end_of_a_title_tell_the_showing(
    title: str, known: set[str]
) -> None:
    assert showing(title, "", "") == known


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Live aus dem Leben",
        "Olive, Tomate",
        "Die neue Welt",
        "Direct Action",
        "Alles neu macht der Mai.",
        "Rolle rückwärts: R, S, T",
        "Premierenfieber",
        "Die Wiederholung der Geschichte",
        "x" * 300 + ", live",
        "Live, Wiederholung vom Vortag",
    ],
)
def test_ambiguous_texts_tell_nothing_about_the_showing(text: str) -> None:
    assert showing("Title", text[:100], text) == set()


def test_a_genre_tells_that_a_programme_is_live() -> None:
    assert showing("Title", "", "", genre=LIVE_GENRE) == {"live"}
    assert showing("Title", "", "", genre=0xB2) == set()


def test_no_remark_is_missed_by_the_search_that_comes_first() -> None:
    for remark in remarks._LIVE | remarks._PREMIERE | remarks._NEW | remarks._REPEAT:
        assert len(showing("Title", f"HD ({remark})", "")) == 1, remark

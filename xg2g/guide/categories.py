"""English categories for DVB genres, in the words that clients know.

Jellyfin recognises films, news, sports and children's programmes by exactly `movie`, `news`,
`sports` and `kids`, in any case (its defaults); so does Plex. Kodi maps the genre names of
EN 300 468, table 28, in its own spelling, back to their nibbles.
"""

FEATURE_S = 70 * 60
"""Length of a feature film: shorter drama is an episode or a short film."""

_MOVIE, _SERIES, _NEWS, _SPORTS, _KIDS = "Movie", "Series", "News", "Sports", "Kids"
_DOCUMENTARY = "Documentary"

_GENRES: dict[int, tuple[str, ...]] = {
    0x1: (
        "General Movie / Drama",
        "Detective / Thriller",
        "Adventure / Western / War",
        "Science Fiction / Fantasy / Horror",
        "Comedy",
        "Soap / Melodrama / Folkloric",
        "Romance",
        "Serious / Classical / Religious / Historical Movie / Drama",
        "Adult Movie / Drama",
    ),
    0x2: (
        "News / Current Affairs",
        "News / Weather Report",
        "News Magazine",
        _DOCUMENTARY,
        "Discussion / Interview / Debate",
    ),
    0x3: ("Show / Game Show", "Game Show / Quiz / Contest", "Variety Show", "Talk Show"),
    0x4: (
        _SPORTS,
        "Special Event",
        "Sport Magazine",
        "Football",
        "Tennis / Squash",
        "Team Sports",
        "Athletics",
        "Motor Sport",
        "Water Sport",
        "Winter Sports",
        "Equestrian",
        "Martial Sports",
    ),
    0x5: (
        "Children's / Youth Programmes",
        "Pre-school Children's Programmes",
        "Entertainment Programmes for 6 to 14",
        "Entertainment Programmes for 10 to 16",
        "Informational / Educational / School Programme",
        "Cartoons / Puppets",
    ),
    0x6: (
        "Music / Ballet / Dance",
        "Rock / Pop",
        "Serious / Classical Music",
        "Folk / Traditional Music",
        "Jazz",
        "Musical / Opera",
        "Ballet",
    ),
    0x7: (
        "Arts / Culture",
        "Performing Arts",
        "Fine Arts",
        "Religion",
        "Popular Culture / Traditional Arts",
        "Literature",
        "Film / Cinema",
        "Experimental Film / Video",
        "Broadcasting / Press",
        "New Media",
        "Arts / Culture Magazines",
        "Fashion",
    ),
    0x8: (
        "Social / Political / Economics",
        "Magazines / Reports / Documentary",
        "Economics / Social Advisory",
        "Remarkable People",
    ),
    0x9: (
        "Education / Science / Factual",
        "Nature / Animals / Environment",
        "Technology / Natural Sciences",
        "Medicine / Physiology / Psychology",
        "Foreign Countries / Expeditions",
        "Social / Spiritual Sciences",
        "Further Education",
        "Languages",
    ),
    0xA: (
        "Leisure / Hobbies",
        "Tourism / Travel",
        "Handicraft",
        "Motoring",
        "Fitness and Health",
        "Cooking",
        "Advertisement / Shopping",
        "Gardening",
    ),
}
_SOAP = 0x15
_NEWS_GENRES = frozenset((0x20, 0x21, 0x22))


def categories(genre: int | None, *, duration_s: int, is_episode: bool) -> tuple[str, ...]:
    """Return the categories of a genre, the general one first; empty if it tells nothing."""
    if genre is None:
        return ()
    level_1, level_2 = divmod(genre, 16)
    names = _GENRES.get(level_1)
    if names is None:
        return ()
    name = names[level_2] if level_2 < len(names) else names[0]
    general = _general(genre, level_1, duration_s=duration_s, is_episode=is_episode)
    return tuple(dict.fromkeys(word for word in (general, name) if word))


def _general(genre: int, level_1: int, *, duration_s: int, is_episode: bool) -> str:
    match level_1:
        case 0x1 if is_episode or genre == _SOAP:
            return _SERIES
        case 0x1 if duration_s >= FEATURE_S:
            return _MOVIE
        case 0x2 if genre in _NEWS_GENRES:
            return _NEWS
        case 0x4:
            return _SPORTS
        case 0x5:
            return _KIDS
        case 0x8 if genre == 0x81:
            return _DOCUMENTARY
    return ""

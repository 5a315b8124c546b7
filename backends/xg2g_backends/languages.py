"""Language codes that the remuxer knows (transcoder/src/language.rs)."""

from typing import Final

_ISO_639_1: Final = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs "
    "cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha "
    "he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn "
    "ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb "
    "nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd "
    "se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw "
    "ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu "
)
_TWO_LETTERS: Final = frozenset(_ISO_639_1.split())


def is_language(code: str) -> bool:
    """Return True for a two-letter code of ISO 639-1, or any three ASCII letters.

    Three letters cover both kinds of ISO 639-2 (`ger` and `deu`) and codes for local use (`qaa`).
    """
    if len(code) == 2:
        return code.lower() in _TWO_LETTERS
    return len(code) == 3 and code.isascii() and code.isalpha()

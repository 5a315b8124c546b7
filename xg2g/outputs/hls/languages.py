"""Language tags for playlists, and English names for menus.

Broadcasts name a language by a code of ISO 639-2 (ETSI EN 300 468, 6.2.18); playlists want a tag of
BCP 47, which is the code of ISO 639-1 where there is one (RFC 5646, 2.2.1).
"""

_NAMES = """
ara ar Arabic | aze az Azerbaijani | bel be Belarusian | ben bn Bengali | bos bs Bosnian |
bre br Breton | bul bg Bulgarian | cat ca Catalan | ces cs Czech | cmn zh Mandarin |
cor kw Cornish | cos co Corsican | cym cy Welsh | dan da Danish | deu de German |
ell el Greek | eng en English |
est et Estonian | eus eu Basque | fao fo Faroese | fas fa Persian | fin fi Finnish | fra fr French |
fry fy Frisian | fur fur Friulian | gla gd Scottish-Gaelic | gle ga Irish | glg gl Galician |
gsw gsw Swiss-German | heb he Hebrew | hin hi Hindi | hrv hr Croatian | hun hu Hungarian |
hye hy Armenian | ind id Indonesian | isl is Icelandic | ita it Italian | jpn ja Japanese |
kat ka Georgian | kaz kk Kazakh | kor ko Korean | kur ku Kurdish | lat la Latin | lav lv Latvian |
lit lt Lithuanian | ltz lb Luxembourgish | mkd mk Macedonian | mlt mt Maltese | msa ms Malay |
nld nl Dutch | nno nn Norwegian-Nynorsk | nob nb Norwegian-Bokmål | nor no Norwegian |
oci oc Occitan | pan pa Punjabi | pol pl Polish | por pt Portuguese | roh rm Romansh |
rom rom Romani | ron ro Romanian | rus ru Russian | slk sk Slovak | slv sl Slovenian |
sme se Northern-Sami | spa es Spanish | sqi sq Albanian | srp sr Serbian | swa sw Swahili |
swe sv Swedish | tam ta Tamil | tat tt Tatar | tel te Telugu | tha th Thai | tur tr Turkish |
ukr uk Ukrainian | urd ur Urdu | uzb uz Uzbek | vie vi Vietnamese | yid yi Yiddish | zho zh Chinese
"""

_BIBLIOGRAPHIC = {
    "alb": "sqi", "arm": "hye", "baq": "eus", "chi": "zho", "cze": "ces", "dut": "nld",
    "fre": "fra", "geo": "kat", "ger": "deu", "gre": "ell", "ice": "isl", "mac": "mkd",
    "may": "msa", "per": "fas", "rum": "ron", "scc": "srp", "scr": "hrv", "slo": "slk",
    "wel": "cym",
}  # fmt: skip

_KNOWN = {
    code: (tag, name.replace("-", " "))
    for code, tag, name in (entry.split() for entry in _NAMES.split("|"))
}


def tag(code: str | None) -> str | None:
    """Return the BCP 47 tag of a broadcast's code; None when it names no language."""
    if code is None:
        return None
    code = code.lower()
    code = _BIBLIOGRAPHIC.get(code, code)
    if code in _KNOWN:
        return _KNOWN[code][0]
    # `qaa` to `qtz` are for local use; the others name no language that a player could choose.
    is_code = len(code) == 3 and code.isascii() and code.isalpha()
    if not is_code or code in ("und", "zxx", "mis") or "qaa" <= code <= "qtz":
        return None
    return code


def name(code: str | None) -> str | None:
    """Return the language's English name; None when the code is not known to have one."""
    if code is None:
        return None
    code = code.lower()
    code = _BIBLIOGRAPHIC.get(code, code)
    if code in _KNOWN:
        return _KNOWN[code][1]
    return {"mul": "Several languages", "qaa": "Original"}.get(code)

"""What stands in OpenWebif's answers, read as what was meant.

A number comes as a number, as its text, as `""`, `"N/A"` or null; a boolean as `true` or `"true"`;
a text with the control characters of DVB, and in the guide with HTML entities.
"""

import codecs
import html
import math
import re
import unicodedata

_LATIN_1 = "xg2g.latin-1"
_NOT_KNOWN = "N/A"
_LINE_BREAKS = re.compile("\r\n|[\r\u0085\u008a\ue08a]")
# U+0086 and U+0087 switch emphasis on and off (EN 300 468, annex A); 0x1A makes XML invalid.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ue080-\ue09f\ud800-\udfff\ufffe\uffff]")


def decode(answer: bytes) -> str:
    """Text of an answer. OpenWebif writes UTF-8; what is none is Latin-1, which Python 2 let by."""
    return answer.removeprefix(codecs.BOM_UTF8).decode("utf-8", _LATIN_1)


def incremental_decoder() -> codecs.IncrementalDecoder:
    """`decode` for an answer in pieces."""
    return codecs.getincrementaldecoder("utf-8-sig")(_LATIN_1)


def text(value: object, *, escaped: bool = False) -> str:
    """A text without control characters, composed (NFC); empty when the receiver has none.

    `escaped` as in the guide, whose HTML entities OpenWebif writes into JSON. They are resolved
    once: `&amp;amp;` was broadcast as `&amp;`.
    """
    if value is None or isinstance(value, (dict, list)):
        return ""
    written = html.unescape(str(value)) if escaped else str(value)
    if not written.isprintable():
        written = _UNPRINTABLE.sub("", _LINE_BREAKS.sub("\n", written))
    written = written.strip()
    return "" if written == _NOT_KNOWN else unicodedata.normalize("NFC", written)


def number(value: object) -> int | None:
    """A whole number, or None for everything that is none."""
    match value:
        case int():
            return int(value)
        case float() if value.is_integer():
            return int(value)
        case str() if re.fullmatch(r"\s*-?[0-9]{1,18}\s*", value):
            return int(value)
    return None


def seconds(value: object) -> float | None:
    """A time in seconds, whole or not, or None for everything else."""
    if isinstance(value, str):
        return float(value) if re.fullmatch(r"\s*-?[0-9]{1,18}(\.[0-9]{1,18})?\s*", value) else None
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def flag(value: object) -> bool:
    """A boolean; what is none is False."""
    return value is True or value == 1 or (isinstance(value, str) and value.lower() == "true")


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_LATIN_1, _as_latin_1)

"""Faulty answers of web interfaces. Each function makes one from the body of a good answer.

Assign one to a path in `Gate.answer_faults`.
"""

import json
from collections.abc import Callable

from starlette.responses import Response

from xg2g.simulator.openwebif.responses import Json, json_answer, processing_failed

AnswerFault = Callable[[bytes], Response]
_MEDIA_TYPE = "application/json; charset=utf-8"


def latin_1(body: bytes) -> Response:
    """Answer in Latin-1, unescaped, as Python 2 sends names."""
    text = json.dumps(json.loads(body), ensure_ascii=False)
    return Response(text.encode("latin-1", "replace"), media_type=_MEDIA_TYPE)


def raw_control_characters(body: bytes) -> Response:
    """Answer with the control characters of DVB texts, unescaped."""
    text = json.dumps(json.loads(body), ensure_ascii=False)
    text = text.replace("\\n", "\n").replace("\\u001a", "\x1a").replace("\\t", "\t")
    return Response(text.encode(), media_type=_MEDIA_TYPE)


def cut_short(body: bytes) -> Response:
    """End in the middle, with a Content-Length that says so."""
    return Response(body[: len(body) * 2 // 3], media_type=_MEDIA_TYPE)


def result_false(body: bytes) -> Response:
    """Answer a failure with status 200."""
    return json_answer({"result": False, "message": "Das ist fehlgeschlagen"})


def processing_failed_page(body: bytes) -> Response:
    """Answer like an exception in the handler, e.g. over a name in a wrong encoding."""
    return processing_failed()


def strings_and_nulls(body: bytes) -> Response:
    """Answer numbers as strings, and empty strings as null."""
    answer: Json = json.loads(body)
    return json_answer({key: _as_text(each) for key, each in answer.items()})


def tangled_guide(body: bytes) -> Response:
    """Answer events twice, with the same id, overlapping, and with durations of 0 or less."""
    answer: Json = json.loads(body)
    events = []
    for event in answer["events"]:
        begin_s, duration_s = event["begin_timestamp"], event["duration_sec"]
        events += [
            event | {"duration_sec": 0},
            event | {"duration_sec": -duration_s},
            # The last minute is that of the next one, too.
            event | {"duration_sec": duration_s + 60, "id": 7},
            event | {"begin_timestamp": begin_s + 1, "id": 7},
            event | {"title": None},
            event | {"begin_timestamp": 2**40},
            {"id": 7},
        ]
    return json_answer(answer | {"events": events[::-1]})


def _as_text(value: object) -> object:
    match value:
        case dict():
            return {key: _as_text(each) for key, each in value.items()}
        case list():
            return [_as_text(each) for each in value]
        case bool():
            return str(value)
        case int() | float():
            return str(value)
        case "":
            return None
    return value

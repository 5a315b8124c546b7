"""What pydantic finds wrong with a query, in the words of a user."""

from collections.abc import Mapping
from typing import Any

_MESSAGES: Mapping[str, str] = {
    "int_parsing": "is not a whole number",
    "int_parsing_size": "is no number that fits here",
    "int_from_float": "is not a whole number",
    "int_type": "is not a whole number",
    "float_parsing": "is not a number",
    "float_type": "is not a number",
    "finite_number": "is not a number",
    "string_too_long": "is too long; the most is {max_length} characters",
    "bool_parsing": "is neither true nor false",
    "bool_type": "is neither true nor false",
    "literal_error": "is not possible; use {expected}",
    "greater_than": "is too small; it has to be more than {gt:g}",
    "greater_than_equal": "is too small; the least is {ge:g}",
    "less_than": "is too big; it has to be less than {lt:g}",
    "datetime_parsing": "is not a time; write 2026-11-24T20:15:00Z",
    "datetime_from_date_parsing": "is not a time; write 2026-11-24T20:15:00Z",
    "timezone_aware": "has no time zone; write 2026-11-24T20:15:00Z",
    "less_than_equal": "is too big; the most is {le:g}",
}


def said_of(value: str, error: Mapping[str, Any]) -> str:
    """Return one line about an item of `ValidationError.errors()`; `value` is what to call it."""
    message = _MESSAGES.get(error["type"])
    if message is None:
        message = str(error["msg"])
        return f"{message[0].lower()}{message[1:]}"
    return f"{value} {message.format(**error.get('ctx', {}))}"

"""The kinds of failure are the same in Rust, in Python and over HTTP."""

import re
from pathlib import Path

from xg2g_backends import errors

SOURCES = Path(__file__).parents[2] / "transcoder" / "src"
ERROR_RS = SOURCES / "error.rs"
PROBLEM_RS = SOURCES / "service" / "problem.rs"

STATUSES = {
    "BAD_REQUEST": 400,
    "UNAUTHORIZED": 401,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "REQUEST_TIMEOUT": 408,
    "CONFLICT": 409,
    "PAYLOAD_TOO_LARGE": 413,
    "INTERNAL_SERVER_ERROR": 500,
    "SERVICE_UNAVAILABLE": 503,
}


def service_statuses() -> dict[str, int]:
    """Kind -> HTTP status, as the service has them."""
    function = re.search(r"fn status\(self\).*?\n    \}", PROBLEM_RS.read_text(), re.DOTALL)
    assert function is not None
    arms = re.findall(r"((?:Self::\w+[|\s]*)+)=>[\s{]*StatusCode::(\w+)", function[0])
    return {kind: STATUSES[name] for arm, name in arms for kind in re.findall(r"Self::(\w+)", arm)}


def test_every_rust_kind_has_an_exception_under_the_same_number_and_name() -> None:
    enum = re.search(r"pub enum ErrorKind \{(.*?)\n\}", ERROR_RS.read_text(), re.DOTALL)
    assert enum is not None
    in_rust = {int(n): name for name, n in re.findall(r"(\w+) = (-\d+),", enum[1])}
    assert {number: name for number, (name, _) in errors.KINDS.items()} == in_rust


def test_an_exception_is_named_after_its_kind() -> None:
    for name, exception in errors.KINDS.values():
        assert exception.__name__ == f"{name}Error"


def test_only_misuse_by_the_caller_has_a_status_below_500() -> None:
    by_status = {exception: exception.http_status for _, exception in errors.KINDS.values()}
    assert by_status == {
        errors.InternalError: 500,
        errors.OutputTooSmallError: 500,
        errors.InvalidArgumentError: 400,
        errors.PoisonedError: 500,
        errors.CodecError: 500,
        errors.FinishedError: 409,
        errors.BusyError: 409,
    }


def test_a_number_of_a_newer_library_is_an_internal_error() -> None:
    error = errors.error_for(-99, "text")
    assert type(error) is errors.InternalError
    assert str(error) == "text"


def test_every_kind_of_the_service_has_an_exception_and_the_same_status() -> None:
    ours = {name: exception.http_status for name, exception in errors.KINDS.values()}
    ours |= {name: status for name, (status, _) in errors.SERVICE_KINDS.items()}
    assert ours == service_statuses()


def test_a_kind_over_http_is_the_exception_of_its_name() -> None:
    for name, exception in errors.KINDS.values():
        assert type(errors.error_for_kind(name, "text")) is exception
    for name, (_, exception) in errors.SERVICE_KINDS.items():
        assert type(errors.error_for_kind(name, "text")) is exception
    assert type(errors.error_for_kind("OfTheFuture", "text")) is errors.InternalError

"""The kinds of failure are the same in Rust, in Python and over HTTP."""

import re
from pathlib import Path

from xg2g.backends import errors

ERROR_RS = Path(__file__).parents[2] / "transcoder" / "src" / "error.rs"


def test_every_rust_kind_has_an_exception_under_the_same_number_and_name() -> None:
    enum = re.search(r"pub enum ErrorKind \{(.*?)\n\}", ERROR_RS.read_text(), re.DOTALL)
    assert enum is not None
    in_rust = {int(n): name for name, n in re.findall(r"(\w+) = (-\d+),", enum[1])}
    assert {number: name for number, (name, _) in errors.KINDS.items()} == in_rust


def test_an_exception_is_named_after_its_kind() -> None:
    for name, exception in errors.KINDS.values():
        assert exception.__name__ == f"{name}Error"


def test_only_a_misuse_by_the_caller_gets_a_status_below_500() -> None:
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

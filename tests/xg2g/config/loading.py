"""Settings loaded without a file."""

from collections.abc import Mapping

import pytest

from xg2g.config import Configuration, ConfigurationError, load

NO_FILE = {"XG2G_CONFIG": "/dev/null"}


def from_variables(**variables: str) -> Configuration:
    return load(environment=NO_FILE | {f"XG2G_{name}": text for name, text in variables.items()})


def problems(
    flags: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as raised:
        load(flags, environment=NO_FILE | dict(environment or {}))
    assert raised.value.exit_code == 2
    return raised.value.problems

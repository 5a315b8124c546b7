"""Flags made from the settings, so that help and reference say the same."""

import functools
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from xg2g.config import Configuration, Settings, load
from xg2g.config.setting import Setting, settings_of

Configure = Callable[[], Configuration]
"""Reads the settings, with the flags of this command line. Raises `ConfigurationError`."""

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar="XG2G_CONFIG",
        help="Settings file (YAML).",
        show_default="~/.config/xg2g/config.yaml or /etc/xg2g/config.yaml",
    ),
]

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="Address of a running xg2g, e.g. http://192.168.1.20:8088.",
        show_default="the address of xg2g serve with these settings",
    ),
]

_FILE_PARAMETER = "config_file"


def with_settings(*sections: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the flags of these sections, and `--config`, to a command.

    The command itself takes `configure: Configure` instead of them.
    """
    settings = [
        setting
        for setting in settings_of(Settings).values()
        if setting.section in sections and setting.names.flag
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def called(**arguments: Any) -> None:
            file = arguments.pop(_FILE_PARAMETER)
            given = {setting.key: arguments.pop(_parameter_name(setting)) for setting in settings}
            flags = {key: _text(value) for key, value in given.items() if value not in (None, [])}
            command(configure=lambda: load(flags, file=file), **arguments)

        own = inspect.signature(command, eval_str=True)
        parameters = [item for item in own.parameters.values() if item.name != "configure"]
        parameters += _parameters(settings)
        # typer reads these two; with `__wrapped__` it would read the command's own.
        called.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {item.name: item.annotation for item in parameters}
        del called.__wrapped__
        return called

    return decorate


def _parameters(settings: list[Setting]) -> Iterator[inspect.Parameter]:
    for setting in settings:
        yield _parameter(_parameter_name(setting), _option(setting))
    yield _parameter(_FILE_PARAMETER, ConfigFile)


def _parameter(name: str, annotation: object) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=None, annotation=annotation)


def _option(setting: Setting) -> object:
    flag = setting.names.flag
    assert flag is not None
    kind = "switches" if setting.is_switch else "options"
    option = typer.Option(
        f"{flag}/--no-{flag.removeprefix('--')}" if setting.is_switch else flag,
        metavar="" if setting.is_switch else setting.names.metavar,
        help=setting.meaning,
        show_default=False if setting.is_switch else setting.default_text or False,
        # Apart from the others: two names a switch would leave no room for their help.
        rich_help_panel=f"{setting.section.capitalize()} {kind}",
    )
    one = bool if setting.is_switch else list[str] if setting.is_list else str
    return Annotated[one | None, option]


def _parameter_name(setting: Setting) -> str:
    return setting.key.replace(".", "_")


def _text(value: str | bool | list[str]) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    # A repeated flag continues the list.
    return "\n".join(value) if isinstance(value, list) else value

"""`xg2g doctor`: what works, what does not, and how to fix it."""

import asyncio
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from xg2g.config import ConfigurationError, Settings
from xg2g.config.settings import LogSettings
from xg2g.doctor.check import Finding, Verdict

from .options import Configure, with_settings

NO_TELEVISION = 1
"""Exit code. 2 is a command that was called wrongly."""
SOMETHING_ELSE = 3

_COLOURS = {
    Verdict.GOOD: "green",
    Verdict.NOTE: "yellow",
    Verdict.BAD: "red",
    Verdict.SKIPPED: "dim",
}

Found = Callable[[Finding], None]


@with_settings("receiver", "server", "data", "external")
def doctor(
    configure: Configure,
    channel: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Channel to watch for a few seconds.", show_default="the first"
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, max=60, help="How long to watch it.", show_default=True)
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check settings, network, receiver and one channel, and say how to fix each problem.

    Uses the settings of `xg2g serve`, and may run beside it. Changes nothing; watches a channel
    for a few seconds if a tuner is free. Prints no secrets: you can show the output to others.

    Exits with 0 when all is well, with 1 when television does not work, and with 3 when television
    works and something else does not: discovery, guide, clock or stored data.

    **Examples**

    `xg2g doctor`

    `xg2g doctor --channel "Das Erste HD" --json`
    """
    findings: list[Finding] = []
    console = Console(highlight=False)

    def found(finding: Finding) -> None:
        findings.append(finding)
        if not as_json:
            show(console, finding)

    found(Finding("versions", Verdict.GOOD, _versions()))
    settings = _settings(configure, found)
    if settings is not None:
        from xg2g.app import logs

        # Problems are findings: they are not logged as well.
        logs.configure(LogSettings(level="error"))
        with console.status("") as status:
            asyncio.run(_examine(settings, channel, seconds, found, status.update))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    code, line = _conclusion(findings)
    if not as_json:
        console.print(line)
    if code:
        raise typer.Exit(code)


def _settings(configure: Configure, found: Found) -> Settings | None:
    """Return the settings, with findings about them; None when they are invalid."""
    try:
        configuration = configure()
    except ConfigurationError as error:
        for problem in error.problems:
            found(Finding("settings", Verdict.BAD, problem))
        return None
    place = configuration.file or "no file; variables, flags and defaults"
    found(Finding("settings", Verdict.GOOD, str(place)))
    for line in configuration.notes:
        found(Finding("settings", Verdict.NOTE, line))
    return configuration.settings


def _conclusion(findings: Sequence[Finding]) -> tuple[int, str]:
    """Return the exit code and the last line."""
    bad = [finding for finding in findings if finding.verdict is Verdict.BAD]
    topics = ", ".join(dict.fromkeys(finding.topic for finding in bad))
    if any(finding.ends_television for finding in bad):
        return NO_TELEVISION, f"[red]television does not work[/]: see {topics}"
    if bad:
        return SOMETHING_ELSE, f"[yellow]television works[/], but not everything: see {topics}"
    watched = any(it.topic == "stream" and it.verdict is Verdict.GOOD for it in findings)
    if watched:
        return 0, "[green]television works[/]"
    return 0, "[green]no problem found[/]; no channel was watched"


async def _examine(
    settings: Settings,
    channel: str | None,
    seconds: float,
    found: Found,
    on_check: Callable[[str], None],
) -> None:
    from xg2g.doctor.run import run_checks

    async for finding in run_checks(settings, channel=channel, sample_s=seconds, on_check=on_check):
        found(finding)


def show(console: Console, finding: Finding) -> None:
    """Print a finding: on a terminal wrapped under its column, elsewhere as lines for grep."""
    colour = _COLOURS[finding.verdict]
    advice = f"[{colour}]→[/] {escape(finding.advice)}"
    verdict, topic = f"[{colour}]{finding.verdict:8}[/]", f"[bold]{finding.topic:13}[/]"
    if console.is_terminal:
        lines = Table.grid(padding=(0, 1))
        lines.add_row(verdict, topic, escape(finding.text))
        if finding.advice:
            lines.add_row("", "", advice)
        console.print(lines)
        return
    console.print(f"{verdict} {topic} {escape(finding.text)}", soft_wrap=True)
    if finding.advice:
        console.print(f"{'':23}{advice}", soft_wrap=True)


def _versions() -> str:
    return f"xg2g {version('xg2g')}, Python {platform.python_version()}, {platform.platform()}"

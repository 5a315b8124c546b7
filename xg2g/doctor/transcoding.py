"""Where sound is converted."""

from collections.abc import AsyncIterator

from xg2g.app.backend import choose_backend

from .finding import Finding, bad, good, note
from .patient import Patient


async def backend(patient: Patient) -> AsyncIterator[Finding]:
    """Whether streams could be converted now."""
    chosen = choose_backend(patient.settings)
    try:
        health = await chosen.check()
    finally:
        await chosen.aclose()
    versions = ", ".join(f"{name} {number}" for name, number in health.versions.items())
    if health.usable:
        yield good("sound", f"converted by the {chosen.name} backend ({versions})")
    else:
        what, _, advice = health.detail.partition("; ")
        yield bad("sound", what, advice)
    for warning in health.warnings:
        yield note("sound", warning)

"""Pages without scripts, made of the templates in this folder."""

from importlib.resources import files
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined
from starlette.responses import HTMLResponse, Response

HEADERS: Final = {
    # Names come from a receiver, and these pages run no scripts.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

_ENVIRONMENT: Final = Environment(
    # Read once: a cleaner of /tmp may remove what the single executable unpacked there.
    loader=DictLoader(
        {
            each.name: each.read_text(encoding="utf-8")
            for each in files(__package__).joinpath("templates").iterdir()
        }
    ),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, title: str, *, status: int = 200, **values: object) -> Response:
    """Return the page that a template makes of `title` and `values`, which are text."""
    html = _ENVIRONMENT.get_template(template).render(title=title, **values)
    return HTMLResponse(html, status, HEADERS)

"""What every page that a browser shows has in common."""

from starlette.responses import HTMLResponse, Response

from .html import Element, document, tag

HEADERS = {
    # Names come from a receiver, and no page of xg2g runs scripts.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--good:#1e7e3a;--fair:#a35c00;--bad:#c2342c}
*{box-sizing:border-box}
body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:0 auto;padding:1.5rem 1rem}
h1{display:flex;flex-wrap:wrap;align-items:center;gap:.8rem;margin:0 0 1.2rem;font-size:1.7rem}
h2{font-size:1.1rem;margin:2rem 0 .6rem}
h3{font-size:1rem;margin:0}
p{margin:.2rem 0}
small,.dim{opacity:.7}
.state{font-size:.85rem;font-weight:600;color:#fff;padding:.1rem .8rem;border-radius:1rem}
.state.good{background:var(--good)}.state.fair{background:var(--fair)}
.state.bad{background:var(--bad)}
.trouble{border-left:.3rem solid var(--fair);background:var(--soft);padding:.5rem .9rem;
margin:0 0 .8rem;overflow-wrap:anywhere}
.trouble.bad{border-color:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.7rem}
.tiles div,.card{border:1px solid var(--line);border-radius:.6rem;padding:.7rem .9rem}
.tiles b{display:block;font-size:1.5rem;line-height:1.3}
.card{margin:.7rem 0}
code{display:block;font-size:.95rem;background:var(--soft);border-radius:.4rem;padding:.35rem .6rem;
margin:.35rem 0;user-select:all;overflow-wrap:anywhere}
.viewer{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;padding:.5rem 0;
border-bottom:1px solid var(--line);overflow-wrap:anywhere}
.viewer ul{list-style:none;margin:0;padding:0}
.buttons{margin:1.5rem 0}
.button{display:inline-block;border:1px solid var(--line);border-radius:.5rem;padding:.35rem .9rem;
color:inherit;text-decoration:none}
summary{cursor:pointer}
a{color:inherit}
table{border-collapse:collapse;margin:.4rem 0;font-size:.95rem}
td{vertical-align:top;padding:.15rem .8rem .15rem 0;overflow-wrap:anywhere}
footer{margin-top:2.5rem;font-size:.9rem}
"""


def page(title: str, *body: Element, status: int = 200) -> Response:
    """A whole page."""
    return HTMLResponse(written(title, *body), status, HEADERS)


def written(title: str, *body: Element) -> str:
    """The text of a page."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", _STYLE),
    )
    return document(tag("html", head, tag("body", *body), lang="en"))

"""OpenWebif as a gateway meets it, in both generations, with the field shapes of real boxes.

Booleans that are strings, a 200 for a failed command, HTML for an exception, sessions for clients
without a cookie: all of it as OpenWebif does it, because clients trip over exactly that.
"""

from xg2g.simulator.openwebif.app import create_app
from xg2g.simulator.openwebif.gate import Gate

__all__ = ["Gate", "create_app"]

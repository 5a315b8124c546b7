"""OpenWebif of both generations, with the quirks of real receivers.

Booleans as strings, status 200 for failed commands, HTML for exceptions, sessions for clients
without a cookie: clients have to cope with all of them.
"""

from xg2g.simulator.openwebif.app import create_app
from xg2g.simulator.openwebif.gate import Gate

__all__ = ["Gate", "create_app"]

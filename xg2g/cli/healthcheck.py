"""`xg2g healthcheck`: checks that the daemon on this computer answers."""

from xg2g.errors import UserError
from xg2g.healthcheck import trouble

from .options import Configure, with_settings


@with_settings("server")
def healthcheck(configure: Configure) -> None:
    """Check that the daemon on this computer serves; exit with 0 if it does, else with 1.

    For container images and supervisors. Uses the address on which `xg2g serve` would listen with
    the same file, variables and flags.
    """
    server = configure().settings.server
    if found := trouble(server.host, server.port):
        raise UserError(found)

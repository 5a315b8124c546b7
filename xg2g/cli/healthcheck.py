"""`xg2g healthcheck`: whether the daemon here answers."""

from xg2g.errors import UserError
from xg2g.healthcheck import trouble

from .options import Configure, with_settings


@with_settings("server")
def healthcheck(configure: Configure) -> None:
    """Ask the daemon on this computer whether it serves: exit code 0 if so, otherwise 1.

    For container images and supervisors. It asks where `xg2g serve` with the same file, variables
    and flags would listen.
    """
    server = configure().settings.server
    if found := trouble(server.host, server.port):
        raise UserError(found)

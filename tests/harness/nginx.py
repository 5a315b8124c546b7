"""nginx with the configuration that users copy."""

import shutil
from pathlib import Path
from typing import Final

CONFIGURATION: Final = Path(__file__).parents[2] / "deploy/nginx/xg2g.conf"
"""Of the cache: what users copy."""
_MAIN: Final = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{site}
}}
"""


def nginx(folder: Path, port: int, *, listen: int) -> list[str]:
    """Return the command of nginx with the documented configuration, for a daemon at `port`.

    What it writes goes to `folder`.
    """
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/opt/homebrew/bin")
    if program is None:
        raise SystemExit("nginx is missing: apt-get install nginx-light")
    folder = folder.absolute()
    site = (
        CONFIGURATION.read_text()
        .replace("127.0.0.1:8088", f"127.0.0.1:{port}")
        .replace("listen 80;", f"listen 127.0.0.1:{listen};")
        .replace("  listen [::]:80;\n", "")
        .replace("/var/cache/nginx/xg2g", f"{folder}/cache")
    )
    main = folder / "nginx.conf"
    main.write_text(_MAIN.format(folder=folder, site=site))
    return [program, "-p", str(folder), "-c", str(main), "-e", "stderr"]

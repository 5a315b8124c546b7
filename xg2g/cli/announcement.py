"""What is said on the terminal once the daemon serves."""

from rich.console import Console

from xg2g.daemon import Ready
from xg2g.network import own_address
from xg2g.playlist import stream_path


def announce(ready: Ready) -> None:
    """Say where to go from here."""
    console = Console(highlight=False)
    everywhere = ready.host in ("0.0.0.0", "::")
    reachable = str(own_address() or "127.0.0.1") if everywhere else ready.host
    base_url = f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{ready.port}"
    console.print(f"[bold]playlist[/]  {base_url}/playlist.m3u", soft_wrap=True)
    if ready.lineup is None:
        console.print("[bold]channels[/]  none yet: the receiver has not answered")
    elif not ready.lineup.channels:
        console.print("[bold]channels[/]  none: the receiver's bouquets are empty")
    else:
        first = ready.lineup.channels[0]
        console.print(f"[bold]channels[/]  {len(ready.lineup.channels)}")
        console.print(f"[bold]try[/]       vlc {base_url}{stream_path(first)}", soft_wrap=True)
    if ready.host in ("127.0.0.1", "::1"):
        console.print(
            "[dim]Only this computer can connect; --host 0.0.0.0 opens it to the network.[/]"
        )
    else:
        console.print("[dim]Whoever can reach this address can watch.[/]")

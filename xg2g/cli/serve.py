"""`xg2g serve`: the daemon."""

from .options import Configure, with_settings


@with_settings("receiver", "server", "lineup", "guide", "data", "audio", "external", "log")
def serve(configure: Configure) -> None:
    """Serve a receiver's channels, with audio that every player can play.

    Prints the address of the web page. The page shows which address each player needs.

    Every option is also a setting: `--receiver` is `receiver.url` in the settings file and
    `XG2G_RECEIVER` in the environment. The receiver's user and password have no option: set
    `receiver.user` and `receiver.password`, or `XG2G_RECEIVER_USER` and `XG2G_RECEIVER_PASSWORD`.

    On SIGHUP it reads the settings again. Streams go on; new streams use the new settings.

    **Examples**

    For this computer only:

    `xg2g serve --receiver http://192.168.1.10`

    For every device in the network:

    `xg2g serve --receiver http://192.168.1.10 --host 0.0.0.0`

    One audio track: German, else English:

    `xg2g serve --receiver http://192.168.1.10 --tracks deu,eng`

    With audio conversion by `xg2g-transcoder` on another computer:

    `xg2g serve --external-transcoder http://192.168.1.20:3000`
    """
    serve_with(configure)


def serve_with(configure: Configure) -> None:
    """Run the daemon until it is stopped. `configure` is called now and on each SIGHUP."""
    # Imported here, as in the other commands: --help would have to wait for the daemon's modules.
    from xg2g.app import event_loop, logs
    from xg2g.app.daemon import run
    from xg2g.app.reload import hold_hangups

    from .announcement import announce

    hold_hangups()
    configuration = configure()
    logs.configure(configuration.settings.log)
    logs.note(configuration)
    event_loop.run(run(configuration.settings, on_ready=announce, reread=configure))

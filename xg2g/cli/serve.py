"""`xg2g serve`: the daemon."""

from .options import Configure, with_settings


@with_settings("receiver", "server", "lineup", "guide", "data", "audio", "external", "log")
def serve(configure: Configure) -> None:
    """Serve a receiver's channels, with sound that every client plays.

    Prints the address of a page for a browser, with what to enter in which player.

    Every option can be set in a file or in the environment, too: `--receiver` is `receiver.url`
    there or `XG2G_RECEIVER` here. User and password of the receiver belong there:
    `receiver.user` and `receiver.password`, or `XG2G_RECEIVER_USER`, `XG2G_RECEIVER_PASSWORD`.

    SIGHUP has it read the settings again: streams go on, new ones are made as they say now.

    **Examples**

    For this computer alone:

    `xg2g serve --receiver http://192.168.1.10`

    For every device in the network:

    `xg2g serve --receiver http://192.168.1.10 --host 0.0.0.0`

    One audio track, German if there is one:

    `xg2g serve --receiver http://192.168.1.10 --tracks deu,eng`

    After `xg2g setup`, with the sound converted where `xg2g-transcoder` runs:

    `xg2g serve --external-transcoder http://192.168.1.20:3000`
    """
    serve_with(configure)


def serve_with(configure: Configure) -> None:
    """Run the daemon with what `configure` reads, now and at each SIGHUP, until it is stopped."""
    # Here and in the other commands: a daemon takes longer to import than --help to run.
    from xg2g.app import event_loop, logs
    from xg2g.app.daemon import run
    from xg2g.app.reload import hold_hangups

    from .announcement import announce

    hold_hangups()
    configuration = configure()
    logs.configure(configuration.settings.log)
    logs.note(configuration)
    event_loop.run(run(configuration.settings, on_ready=announce, reread=configure))

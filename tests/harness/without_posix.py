"""Runs Python code as on a system without POSIX: `python without_posix.py CODE [ARGUMENT ...]`.

What Windows lacks is removed before anything is imported. `sys.platform` stays, for the packages
that xg2g uses; its own code has to find out by itself what is missing.
"""

# ruff: noqa: PLC0415 - what is removed must be gone before any other import

import sys
from typing import Any

MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty", "uvloop")
SIGNALS = {"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM"}
"""Those that Windows has, apart from its own."""
REMOVED = {
    "_signal": {
        *("SIG_BLOCK", "SIG_SETMASK", "SIG_UNBLOCK", "alarm", "getitimer", "pause"),
        *("pthread_kill", "pthread_sigmask", "setitimer", "siginterrupt", "sigpending"),
        *("sigtimedwait", "sigwait", "sigwaitinfo"),
    },
    "_socket": {
        *("AF_UNIX", "SO_REUSEPORT", "TCP_INFO", "TCP_NOTSENT_LOWAT", "TCP_USER_TIMEOUT"),
        # The one of Windows, in Python, uses TCP.
        "socketpair",
    },
    "posix": {
        *("fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getloadavg"),
        *("getuid", "initgroups", "killpg", "mkfifo", "mknod", "nice", "sched_getaffinity"),
        *("sched_setaffinity", "sendfile", "setsid", "setuid", "uname", "wait4"),
    },
    "select": {"EPOLLIN", "POLLIN", "epoll", "poll"},
}


def remove_posix() -> None:
    """Remove it from this interpreter."""
    import importlib

    already = {"asyncio", "signal", "socket", "subprocess"} & sys.modules.keys()
    if already:
        raise RuntimeError(f"imported too early: {already}")
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for name, removed in REMOVED.items():
        module = importlib.import_module(name)
        if name == "_signal":
            here = {each for each in vars(module) if each.startswith("SIG") and "_" not in each}
            removed = removed | here - SIGNALS
        for each in removed & vars(module).keys():
            delattr(module, each)
            if name == "posix":
                # `os` has copied it.
                delattr(sys.modules["os"], each)
    if sys.version_info >= (3, 13):
        # It asks sched_getaffinity, and where there is none it is the same as this.
        sys.modules["os"].process_cpu_count = sys.modules["os"].cpu_count
    import errno
    import socket

    class Socket(socket.socket):
        """As the socket transports of Windows see it, or one of a Windows before 10."""

        def recv(self, *arguments: int) -> bytes:
            # Transports of the proactor hand on a bytearray.
            return bytearray(super().recv(*arguments))  # type: ignore[return-value]

        def setsockopt(self, level: int, option: int, *value: Any) -> None:
            if level == socket.IPPROTO_TCP and option != socket.TCP_NODELAY:
                raise OSError(errno.ENOPROTOOPT, "no such option")
            super().setsockopt(level, option, *value)

    socket.socket = Socket  # type: ignore[misc]
    from asyncio import unix_events

    loop = unix_events._UnixSelectorEventLoop
    # What remains is that of the base class: it raises NotImplementedError.
    del loop.add_signal_handler, loop.remove_signal_handler
    # asyncio of Python 3.12 and newer reads it for `sendmsg`, which no socket of Windows has.
    del sys.modules["posix"].sysconf, sys.modules["os"].sysconf


if __name__ == "__main__":
    remove_posix()
    _, code, *arguments = sys.argv
    sys.argv = ["-c", *arguments]
    del sys.path[0]
    exec(compile(code, "<code>", "exec"), {"__name__": "__main__"})

"""Writes the settings file."""

import os
import stat
import tempfile
from pathlib import Path

from xg2g.errors import UserError


def check_replaceable(path: Path) -> None:
    """Raise `UserError` unless the path is free, a regular file, or a link to either.

    A device replaced by a file would be missing for every other program.
    """
    try:
        found = path.stat().st_mode
    except FileNotFoundError:
        return
    except (OSError, RuntimeError) as error:
        raise _cannot_write(path, error) from error
    if not stat.S_ISREG(found):
        raise UserError(
            f"{path} is {_kind(found)}, not a regular file; name another file with --config"
        )


def write_whole(path: Path, text: str, *, mode: int) -> None:
    """Replace a regular file, or the target of a link, atomically.

    Raises `UserError`, also for everything that `check_replaceable` refuses.
    """
    check_replaceable(path)
    try:
        path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                if hasattr(os, "fchmod"):
                    # Windows: the file inherits the permissions of its folder.
                    os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError | RuntimeError) -> UserError:
    why = error.strerror if isinstance(error, OSError) else "its links form a loop"
    return UserError(f"cannot write {path}: {why}; name another file with --config")


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a directory",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")

"""Writes the file of settings."""

import os
import tempfile
from pathlib import Path

from xg2g.errors import UserError


def write_whole(path: Path, text: str, *, mode: int) -> None:
    """Replace a file, or what a link leads to, at once and completely. Raises `UserError`."""
    try:
        path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}; name another file with --config"
        ) from error

"""The one library of this process, for what every backend needs of it."""

from .embedded._abi import Library, library_path, loaded


def library() -> Library:
    """Return the library that `XG2G_LIBRARY` names, or the installed one; it is loaded at the
    first call. Raises `UnavailableError` when it does not load or does not fit."""
    return loaded(library_path())

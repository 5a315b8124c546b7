"""One remuxer interface, and the ways to run the remuxer behind it."""

# The folder above is a source root. Imported through it, every class would exist a second time, and
# an `except BackendError` would miss the other one.
if __name__ != "xg2g_backends":
    raise ImportError(f"{__name__} is the package xg2g_backends: import it by that name")

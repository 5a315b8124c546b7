"""Settings: from flags of the command line, `XG2G_*` variables, a YAML file and defaults, the first
of these that says something.

To add a setting, write it in `settings.py` with its docstring. The key in the file, the variable,
the flag with its help, the checks and the reference page follow from there.
"""

from .load import Configuration, ConfigurationError, load
from .settings import Settings

__all__ = ["Configuration", "ConfigurationError", "Settings", "load"]

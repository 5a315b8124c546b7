"""Settings from command-line flags, `XG2G_*` variables, a YAML file and defaults, in this order of
precedence.

To add a setting, declare it in `settings.py` with its docstring. Key, variable, flag, help,
validation and reference page follow from the declaration.
"""

from .load import Configuration, ConfigurationError, load
from .settings import Settings

__all__ = ["Configuration", "ConfigurationError", "Settings", "load"]

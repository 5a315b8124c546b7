"""Trouble that a user of the command line can do something about."""


class UserError(Exception):
    """Ends the command. Its text is one line: what is wrong, and what to do about it."""

    exit_code = 1


class UsageError(UserError):
    """The command was called, or is configured, in a way that cannot work."""

    exit_code = 2

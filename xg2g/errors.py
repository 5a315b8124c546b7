"""Errors that a user of the command line can mend."""


class UserError(Exception):
    """Ends the command. Its text is one line: the problem, then the fix."""

    exit_code = 1


class UsageError(UserError):
    """The arguments or the settings of the command are invalid."""

    exit_code = 2

"""Settings from the YAML file, and the places where the file is searched."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from .predecessor import CONVERTED_KEYS, why_gone
from .secret import holds_password, read_secret
from .setting import FILE_SUFFIX, Setting
from .source import Source, SourcedValue, did_you_mean, nearest
from .yaml_entries import Entry, read_document

FILE_NAME = "config.yaml"
SYSTEM_FILE = (
    Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) / "xg2g"
    if sys.platform == "win32"
    else Path("/etc/xg2g")
) / FILE_NAME

_SYNONYMS = {
    "receiver.address": "receiver.url",
    "receiver.host": "receiver.url",
    "receiver.ip": "receiver.url",
    "receiver.port": "receiver.url",
    "receiver.username": "receiver.user",
    "server.address": "server.host",
    "server.listen": "server.host",
}

_SECRET_SUFFIX = FILE_SUFFIX.lower()


def user_file(environment: Mapping[str, str]) -> Path:
    """Return the path of a user's own file: below `APPDATA`, which only Windows sets, or as in the
    XDG Base Directory Specification."""
    home = environment.get("XDG_CONFIG_HOME") or environment.get("APPDATA")
    return Path(home or Path(environment.get("HOME", "/")) / ".config") / "xg2g" / FILE_NAME


def find_file(environment: Mapping[str, str]) -> Path | None:
    """Return the file that is read when none is named: the first one that exists.

    The working directory is not searched, so that xg2g behaves the same everywhere.
    """
    return next((path for path in _searched(environment) if os.path.lexists(path)), None)


def preferred_file(environment: Mapping[str, str], *, is_root: bool) -> Path:
    """Return the path for a new file."""
    if directory := _data_directory(environment):
        return directory / FILE_NAME
    return SYSTEM_FILE if is_root else user_file(environment)


def _searched(environment: Mapping[str, str]) -> Iterator[Path]:
    if directory := _data_directory(environment):
        yield directory / FILE_NAME
    yield user_file(environment)
    yield SYSTEM_FILE


def _data_directory(environment: Mapping[str, str]) -> Path | None:
    """Return the data directory if a variable names it: a container has one volume for data and
    file. The setting data.dir cannot tell where the file is that contains it."""
    named = (environment.get(name) for name in ("XG2G_DATA_DIR", "XG2G_DATA"))
    return next((Path(directory) for directory in named if directory), None)


def read_file(path: Path, settings: Mapping[str, Setting]) -> Source:
    """Return the settings of a file."""
    document = read_document(path)
    file = _File(path, settings)
    file.read(document.entries)
    source = file.source
    source.problems[:0] = document.problems
    if document.is_public and file.holds_secrets:
        source.notes.append(
            f"{path}: every user of this computer can read the password in it; run chmod 600 {path}"
        )
    return source


class _File:
    """Assigns the entries of a file to settings."""

    def __init__(self, path: Path, settings: Mapping[str, Setting]) -> None:
        self.source = Source()
        self.holds_secrets = False
        self._path = path
        self._settings = settings
        self._sections = {setting.section for setting in settings.values()}
        self._older = {key: it for it in settings.values() for key in it.names.older_keys}
        self._older_sections = {
            key.partition(".")[0] for key in (*self._older, *CONVERTED_KEYS) if "." in key
        }

    def read(self, entries: tuple[Entry, ...]) -> None:
        values: list[Entry] = []
        for entry in entries:
            if entry.children is None:
                values.append(entry)
            elif entry.key in self._sections or entry.key in self._older_sections:
                values += entry.children
            else:
                self._unknown_section(entry)
        # Current names take precedence over older ones, in any order in the file.
        for entry in sorted(values, key=self._is_older):
            self._take(entry)

    def _is_older(self, entry: Entry) -> bool:
        return entry.key in self._older or entry.key in CONVERTED_KEYS

    def _take(self, entry: Entry) -> None:
        key = entry.key
        secret = self._settings.get(key.removesuffix(_SECRET_SUFFIX))
        if key in self._sections:
            if entry.value is not None:
                first = next(it for it in self._settings.values() if it.section == key)
                self._complain(
                    entry,
                    f"{key} is a section; write {first.name}: or others below it, indented",
                )
        elif key in self._settings:
            self._take_value(self._settings[key], entry)
        elif secret is not None and secret.is_secret:
            self._take_secret_file(secret, entry)
        elif key in self._older:
            self._note(entry, f"{key} is now called {self._older[key].key}")
            self._take_value(self._older[key], entry)
        elif key in CONVERTED_KEYS:
            self._convert(entry)
        elif why := why_gone(key):
            self._note(entry, f"{key} is ignored: {why}")
        else:
            self._complain(entry, f"{key} is not a setting{self._nearest(key)}")

    def _take_value(self, setting: Setting, entry: Entry) -> None:
        if entry.invalid:
            self._complain(entry, f"{entry.key}: {entry.invalid}")
        elif entry.value is not None:
            self.holds_secrets |= setting.is_secret or holds_password(entry.value)
            self.source.add(
                setting.key, SourcedValue(entry.value, self._where(entry), self._subject(entry))
            )

    def _take_secret_file(self, setting: Setting, entry: Entry) -> None:
        if setting.key in self.source.values:
            self._complain(entry, f"{entry.key} and {setting.key} are both set; keep one of them")
        elif isinstance(entry.value, str):
            try:
                secret = read_secret(str(self._path.parent / entry.value))
            except ValueError as error:
                self._complain(entry, f"{entry.key}: {error}")
            else:
                self.source.add(
                    setting.key, SourcedValue(secret, self._where(entry), self._subject(entry))
                )
        elif entry.value is not None or entry.invalid:
            self._complain(entry, f"{entry.key}: write the path of a file")

    def _convert(self, entry: Entry) -> None:
        if entry.value is None and entry.invalid is None:
            return
        try:
            if not isinstance(entry.value, str):
                raise ValueError(entry.invalid or "a list is not allowed here; write one value")
            values = CONVERTED_KEYS[entry.key](entry.value)
        except ValueError as error:
            self._complain(entry, f"{entry.key}: {error}")
            return
        self._note(entry, f"{entry.key} is now called {' and '.join(values)}")
        for key, value in values.items():
            self.source.add(key, SourcedValue(value, self._where(entry), self._subject(entry)))

    def _unknown_section(self, entry: Entry) -> None:
        if why := why_gone(f"{entry.key}."):
            self._note(entry, f"{entry.key} is ignored: {why}")
        else:
            near = did_you_mean(entry.key, self._sections)
            self._complain(entry, f"{entry.key} is not a section of the settings{near}")

    def _nearest(self, key: str) -> str:
        """Return `; did you mean ...?` for a synonym, a misspelt key, or a key in the wrong
        section."""
        if meant := _SYNONYMS.get(key):
            return f"; did you mean {meant}?"
        section, _, name = key.rpartition(".")
        known = list(self._settings.values())
        by_name = {it.name: it.key for it in known} | {
            it.name: it.key for it in known if it.section == section
        }
        near = nearest(name, by_name)
        return f"; did you mean {by_name[near]}?" if near else ""

    def _where(self, entry: Entry) -> str:
        return f"{self._path}:{entry.line}"

    def _subject(self, entry: Entry) -> str:
        return f"{self._where(entry)}: {entry.key}"

    def _note(self, entry: Entry, what: str) -> None:
        self.source.notes.append(f"{self._where(entry)}: {what}")

    def _complain(self, entry: Entry, what: str) -> None:
        self.source.problems.append(f"{self._where(entry)}: {what}")

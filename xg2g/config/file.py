"""Settings of the YAML file, and where it is looked for."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from .given import Given, Reading, did_you_mean, holds_password, nearest, read_secret
from .predecessor import CONVERTED_KEYS, why_gone
from .setting import FILE_SUFFIX, Setting
from .yaml_entries import Entry, read_document

FILE_NAME = "config.yaml"
SYSTEM_FILE = Path("/etc/xg2g") / FILE_NAME

_OTHER_WORDS = {
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
    """Where a user's own file is (XDG Base Directory Specification)."""
    home = environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME", "/")) / ".config"
    return Path(home) / "xg2g" / FILE_NAME


def find_file(environment: Mapping[str, str]) -> Path | None:
    """The file that counts when none is named: the first that exists, and no other.

    The folder in which a command happens to be called is not searched: what xg2g does should not
    depend on it.
    """
    return next((path for path in _searched(environment) if os.path.lexists(path)), None)


def preferred_file(environment: Mapping[str, str], *, is_root: bool) -> Path:
    """Where a new file belongs."""
    if directory := _data_directory(environment):
        return directory / FILE_NAME
    return SYSTEM_FILE if is_root else user_file(environment)


def _searched(environment: Mapping[str, str]) -> Iterator[Path]:
    if directory := _data_directory(environment):
        yield directory / FILE_NAME
    yield user_file(environment)
    yield SYSTEM_FILE


def _data_directory(environment: Mapping[str, str]) -> Path | None:
    """Where a variable has put what xg2g keeps: a container has one volume for all of it. The
    setting of that name in a file cannot say where the file is."""
    named = (environment.get(name) for name in ("XG2G_DATA_DIR", "XG2G_DATA"))
    return next((Path(directory) for directory in named if directory), None)


def read_file(path: Path, settings: Mapping[str, Setting]) -> Reading:
    """Read what the file says."""
    document = read_document(path)
    file = _File(path, settings)
    file.read(document.entries)
    reading = file.reading
    reading.problems[:0] = document.problems
    if document.is_public and file.holds_secrets:
        reading.notes.append(
            f"{path}: every user of this computer can read the password in it; chmod 600 {path}"
        )
    return reading


class _File:
    """Entries to settings."""

    def __init__(self, path: Path, settings: Mapping[str, Setting]) -> None:
        self.reading = Reading()
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
        # A setting's own name counts, wherever an older one stands.
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
                    entry, f"{key} holds several settings; write {first.name}: below it, indented"
                )
        elif key in self._settings:
            self._take_value(self._settings[key], entry)
        elif secret is not None and secret.is_secret:
            self._take_secret_file(secret, entry)
        elif key in self._older:
            self._note(entry, f"{key} is called {self._older[key].key} now")
            self._take_value(self._older[key], entry)
        elif key in CONVERTED_KEYS:
            self._convert(entry)
        elif why := why_gone(key):
            self._note(entry, f"{key} is ignored: {why}")
        else:
            self._complain(entry, f"{key} is not a setting{self._nearest(key)}")

    def _take_value(self, setting: Setting, entry: Entry) -> None:
        if entry.unfit:
            self._complain(entry, f"{entry.key}: {entry.unfit}")
        elif entry.value is not None:
            self.holds_secrets |= setting.is_secret or holds_password(entry.value)
            self.reading.add(
                setting.key, Given(entry.value, self._where(entry), self._subject(entry))
            )

    def _take_secret_file(self, setting: Setting, entry: Entry) -> None:
        if setting.key in self.reading.values:
            self._complain(entry, f"{entry.key} and {setting.key} are both set; keep one of them")
        elif isinstance(entry.value, str):
            try:
                secret = read_secret(str(self._path.parent / entry.value))
            except ValueError as error:
                self._complain(entry, f"{entry.key}: {error}")
            else:
                self.reading.add(
                    setting.key, Given(secret, self._where(entry), self._subject(entry))
                )
        elif entry.value is not None or entry.unfit:
            self._complain(entry, f"{entry.key}: it takes the path of a file")

    def _convert(self, entry: Entry) -> None:
        if entry.value is None and entry.unfit is None:
            return
        try:
            if not isinstance(entry.value, str):
                raise ValueError(entry.unfit or "a list does not fit here")
            values = CONVERTED_KEYS[entry.key](entry.value)
        except ValueError as error:
            self._complain(entry, f"{entry.key}: {error}")
            return
        self._note(entry, f"{entry.key} is called {' and '.join(values)} now")
        for key, value in values.items():
            self.reading.add(key, Given(value, self._where(entry), self._subject(entry)))

    def _unknown_section(self, entry: Entry) -> None:
        if why := why_gone(f"{entry.key}."):
            self._note(entry, f"{entry.key} is ignored: {why}")
        else:
            near = did_you_mean(entry.key, self._sections)
            self._complain(entry, f"{entry.key} is not a section of the settings{near}")

    def _nearest(self, key: str) -> str:
        """The setting meant by a word for the same thing, a misspelt one, or one that stands in
        the wrong section."""
        if meant := _OTHER_WORDS.get(key):
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
        self.reading.notes.append(f"{self._where(entry)}: {what}")

    def _complain(self, entry: Entry, what: str) -> None:
        self.reading.problems.append(f"{self._where(entry)}: {what}")

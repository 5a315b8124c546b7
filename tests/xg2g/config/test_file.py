"""The YAML file: valid files, and the error lines of others."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xg2g.config import Configuration, ConfigurationError, load


def read(file: Path, text: str | bytes) -> Configuration:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    file.chmod(0o600)
    return load(file=file, environment={})


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in the working directory, with a relative path."""
    monkeypatch.chdir(tmp_path)
    return Path("xg2g.yaml")


def test_a_whole_file(file: Path) -> None:
    settings = read(
        file,
        """
        receiver:
          url: http://192.168.1.10
          user: root
          password: 0123            # stays as it is written
          stall_timeout_s: 7.5
        server: {host: "::", port: 80}
        audio:
          bitrate: 160k
          tracks: [deu, eng]
          keep_original: yes
        log:
          level: DEBUG
        """,
    ).settings
    credentials = settings.receiver.address().credentials
    assert credentials is not None
    assert credentials.password == "0123"
    assert settings.receiver.stall_timeout_s == 7.5
    assert (settings.server.host, settings.server.port) == ("::", 80)
    assert settings.audio.bitrate == 160_000
    assert settings.audio.tracks == ("deu", "eng")
    assert settings.audio.keep_original is True
    assert settings.log.level == "debug"


@pytest.mark.parametrize("text", ["", "# nothing\n", "receiver:\n", "receiver:\n  url:\n", "---\n"])
def test_an_empty_file_or_value_leaves_the_defaults(file: Path, text: str) -> None:
    assert read(file, text).places == {}


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffserver:\n  port: 80\n",
        "server:\r\n  port: 80\r\n",
        'server:\n  port: "80"\n',
        "server:\n  port: 0080  # no octal\n",
        "%YAML 1.1\n---\nserver: {port: 80}\n...\n",
        '{"server": {"port": 80}}',
    ],
    ids=["mark", "line ends", "quotes", "zeros", "directive", "JSON"],
)
def test_encodings_and_notations_of_editors_change_nothing(file: Path, text: str) -> None:
    assert read(file, text).settings.server.port == 80


@pytest.mark.parametrize(
    ("words", "value"), [("yes on true 1 Y", True), ("no off FALSE 0 n", False)]
)
def test_a_switch_takes_the_words_that_people_write(file: Path, words: str, value: bool) -> None:
    for word in words.split():
        assert read(file, f"receiver:\n  wait: {word}\n").settings.receiver.wait is value


def test_an_empty_item_of_a_list_is_ignored(file: Path) -> None:
    text = "lineup:\n  bouquets:\n    - Kino, Filme\n    -\n"
    assert read(file, text).settings.lineup.bouquets == ("Kino, Filme",)


ERRORS = [
    ("receiver:\n  pasword: x\n", "2: receiver.pasword is not a setting; did you mean "
     "receiver.password?"),
    ("reciever:\n  url: x\n", "1: reciever is not a section of the settings; did you mean "
     "receiver?"),
    ("server:\n  bitrate: 1\n", "2: server.bitrate is not a setting; did you mean audio.bitrate?"),
    ("bitrate: 192k\n", "1: bitrate is not a setting; did you mean audio.bitrate?"),
    ("server:\n  colour: red\n", "2: server.colour is not a setting"),
    ("server:\n  port: 80a\n", '2: server.port: "80a" is not a whole number'),
    ("server:\n  port: 70000\n", '2: server.port: "70000" is too big; the maximum is 65535'),
    ("receiver:\n  stall_timeout_s: soon\n", '2: receiver.stall_timeout_s: "soon" is not a number'),
    ("receiver:\n  stall_timeout_s: 0\n", '2: receiver.stall_timeout_s: "0" is too small; it must '
     "be more than 0"),
    ("audio:\n  keep_original: maybe\n", '2: audio.keep_original: "maybe" is neither true nor '
     "false"),
    ("audio:\n  tracks: [german]\n", '2: audio.tracks: invalid track language "german"; use an '
     'ISO 639 code such as "deu" or "de"'),
    ("log:\n  level: loud\n", "2: log.level: \"loud\" is not possible; use 'debug', 'info', "
     "'warning' or 'error'"),
    ("receiver:\n  url: ftp://box\n", "2: receiver.url: the receiver URL must begin with "
     "http:// or https://"),
    ("receiver:\n  url: box\n  password: x\n", "3: receiver.password: receiver.password is set "
     "without receiver.user; set it to root, the user of most receivers"),
    ("receiver:\n  password: x\n  password_file: y\n", "3: receiver.password_file and "
     "receiver.password are both set; keep one of them"),
    ("receiver:\n  password_file: nowhere\n", "2: receiver.password_file: cannot read nowhere: No "
     "such file or directory"),
    ("receiver:\n  password_file: [a]\n", "2: receiver.password_file: write the path of a file"),
    ("receiver:\n  password: ${PASS}\n", "2: receiver.password: ${PASS} is not replaced by a "
     "variable; remove the line and set the variable of this setting, which overrides the file"),
    ("server:\n  port: 1\n  port: 2\n", "3: server.port is already set in line 2; keep one of "
     "them"),
    ("server:\n  port: 1\naudio:\nserver:\n  host: x\n", "4: server is already set in line 1; keep "
     "one of them"),
    ("server:\n  port: [1, 2]\n", "2: server.port: a list is not allowed here; write one value"),
    ("server:\n  port: {a: 1}\n", "2: server.port: write a value here, not settings below it"),
    ("audio:\n  tracks: [[deu]]\n", "2: audio.tracks: only a list of plain values is allowed "
     "here"),
    ("receiver: http://box\n", "1: receiver is a section; write url: or others below it, "
     "indented"),
    ("server:\n\tport: 1\n", "2: indented with a tab; use spaces"),
    ("server:\n  port: 1\n host: x\n", "3: invalid YAML: expected <block end>, but found "
     "'<block mapping start>'"),
    ("server:\n  port: 1 host: 2\n", "2: unexpected colon; quote the value, or check "
     "the indentation"),
    ("receiver:\n  password: *ab\n", "2: found undefined alias 'ab'; quote values that begin "
     "with *"),
    ("base: &b\n  port: 1\nserver:\n  <<: *b\n", "4: merge keys (<<) are not supported; write out "
     "the settings"),
    ("server:\n  port: 1\n---\nserver:\n  port: 2\n", "3: a second document begins here (---); "
     "keep all settings in one document"),
    ("- server\n", "1: not a settings file; write the name of a section and a colon, and below it, "
     "indented, name: value"),
    ("server\n", "1: not a settings file; write the name of a section and a colon, and below it, "
     "indented, name: value"),
    ("receiver.url: http://box\n", "1: write receiver: and below it, indented, url:"),
    ("? [a, b]\n: 1\n", "1: a name must be plain text"),
    ("server:\n  host: !!python/object/apply:os.system [ls]\n", "2: server.host: tags (!) are "
     "not supported; remove it"),
    ("server:\n  host: \x07\n", "2: remove the control character"),
    ("server:\n  port:\t80\n", "2: a tab before a value; use spaces"),
    ("server:\n  port: 12:30\n", '2: server.port: "12:30" is not a whole number'),
    ("server:\n  host: ''\n", "2: server.host: write an address of this computer, such as "
     "127.0.0.1, or 0.0.0.0 for all of them"),
    ("hdhomerun:\n  ports: [80, x]\n", '2: hdhomerun.ports: "x" is not a whole number'),
    ("hdhomerun:\n  name: ''\n", "2: hdhomerun.name: a name must be one line of text"),
    ("guide:\n  days: 7.5\n", '2: guide.days: "7.5" is not a whole number'),
    ("receiver:\n  linger_s: .nan\n", '2: receiver.linger_s: ".nan" is not a number'),
    ("receiver:\n  user: \"\\ud800\"\n", "2: receiver.user: not UTF-8 text"),
    ("receiver:\n  url: http://[::1\n", "2: receiver.url: invalid receiver URL; write "
     "http://192.168.1.10"),
    ("server:\n  port: 80\n".encode("utf-16"), "1: not UTF-8 text; save the file as UTF-8"),
    ("server:\n  port: 80\n".encode("utf-16-be"), "1: not UTF-8 text; save the file as UTF-8"),
    (b"server:\n  host: caf\xe9\n", "2: not UTF-8 text; save the file as UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"), ERRORS, ids=lambda it: it[:60] if type(it) is str else ""
)
def test_an_error_is_one_line_that_names_the_line(file: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(file, text)
    assert f"xg2g.yaml:{said}" in raised.value.problems
    for problem in raised.value.problems:
        assert "\n" not in problem


def test_every_error_of_a_file_is_reported_at_once_from_top_to_bottom(file: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(
            file,
            "server:\n  port: x\n  prot: 1\nreceiver:\n  url: ftp://box\nlog: info\nserver: {}\n"
            "audio:\n  bitrate: 1\n",
        )
    lines = [problem.split(":")[1] for problem in raised.value.problems]
    assert lines == ["2", "3", "5", "6", "7", "9"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere.yaml", "cannot read nowhere.yaml: No such file or directory"),
        (".", "cannot read .: Is a directory"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(file: Path, path: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{said}$"):
        load(file=Path(path), environment={})


def test_a_file_with_a_password_that_others_can_read_is_reported(file: Path) -> None:
    text = "receiver: {url: box, user: root, password: geheim}\n"
    assert read(file, text).notes == ()
    file.chmod(0o644)
    assert load(file=file, environment={}).notes == (
        "xg2g.yaml: every user of this computer can read the password in it; run chmod 600 "
        "xg2g.yaml",
    )
    file.write_text("receiver: {url: 'http://root:geheim@box'}\n")
    assert len(load(file=file, environment={}).notes) == 1
    file.write_text("receiver: {url: box}\n")
    assert load(file=file, environment={}).notes == ()


@pytest.mark.parametrize(
    "text",
    [
        # Each alias repeats the one before ten times: ten billion entries, if expanded.
        "".join(
            [
                "a0: &a0 {k: v}\n",
                *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)),
                "server:\n  host: *a9\n",
            ]
        ),
        "a: &a\n  b: *a\n",
        "[" * 20_000,
        "".join(f"k{n}: v\n" for n in range(3_000)),
        "x: " + "y" * 300_000,
    ],
    ids=["alias bomb", "alias of itself", "deep", "many", "big"],
)
def test_a_hostile_file_ends_in_error_lines(file: Path, text: str) -> None:
    with pytest.raises(ConfigurationError):
        read(file, text)


def test_an_endless_secret_file_is_refused(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="too big for a password"):
        read(file, "receiver: {user: root, password_file: /dev/zero}\n")


def test_no_message_repeats_a_password(file: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(
            file, "receiver:\n  url: http://root:geheim@box:x\n  password: [geheim]\n  user: [a]\n"
        )
    assert "geheim" not in str(raised.value)
    assert os.linesep.join(raised.value.notes).find("geheim") == -1


YAML_PIECES = st.sampled_from(
    [
        *"{}[]:,#&*!|>'\"%@`-? \n\t\\~=<.",
        "---\n",
        "<<",
        "server",
        "port",
        "receiver: ",
        "\n  ",
        "&a ",
    ]
    + ["*a", "!!int ", "80", "null", "é", "\x00", "\ufeff", "\u2028", "audio:\n  tracks: [", "? "]
)


@given(st.lists(YAML_PIECES, max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_file_yields_settings_or_error_lines(text: str) -> None:
    with NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        try:
            load(file=Path(file.name), environment={})
        except ConfigurationError as error:
            assert error.problems
            assert all(line.startswith(f"{file.name}:") for line in error.problems)

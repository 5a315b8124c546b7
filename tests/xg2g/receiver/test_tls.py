"""Receivers behind TLS of every age, as a proxy or their own web server speaks it."""

import asyncio
import json
import ssl
import subprocess
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.harness.command import xg2g
from xg2g.network.failures import redirect_target
from xg2g.receiver.address import ReceiverAddress
from xg2g.receiver.errors import TlsError, UnexpectedAnswerError
from xg2g.receiver.openwebif import OpenWebif, RequestPolicy
from xg2g.simulator import SimulatedReceiver

pytestmark = pytest.mark.anyio

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Self-signed ones, each with its key in the same file."""
    folder = tmp_path_factory.mktemp("certificates")
    found = {}
    for name, key, digest in (
        ("modern", "rsa:2048", "-sha256"),
        ("old", "rsa:1024", "-sha1"),
    ):
        file = folder / f"{name}.pem"
        command = ["openssl", "req", "-x509", "-newkey", key, digest, "-nodes", "-days", "2"]
        command += ["-subj", "/CN=receiver", "-keyout", str(file), "-out", str(folder / "crt")]
        subprocess.run(command, check=True, capture_output=True)
        file.write_text(file.read_text() + (folder / "crt").read_text())
        found[name] = file
    return found


def context(
    certificate: Path,
    *,
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    oldest: ssl.TLSVersion | None = None,
    ciphers: str = "ALL:@SECLEVEL=0",
) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers(ciphers)
    made.load_cert_chain(certificate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = oldest or newest
        made.maximum_version = newest
    return made


SERVERS: dict[str, tuple[str, dict[str, object]]] = {
    "self-signed": ("modern", {"oldest": ssl.TLSVersion.TLSv1_2}),
    "RSA-1024 and SHA-1": ("old", {"oldest": ssl.TLSVersion.TLSv1_2}),
    "TLS 1.0 alone": ("old", {"newest": ssl.TLSVersion.TLSv1}),
    "TLS 1.1 alone": ("modern", {"newest": ssl.TLSVersion.TLSv1_1}),
    "TLS 1.2 with RSA key exchange alone": (
        "modern",
        {"newest": ssl.TLSVersion.TLSv1_2, "ciphers": "kRSA:@SECLEVEL=0"},
    ),
    "TLS 1.2 with CBC and SHA-1 alone": (
        "old",
        {"newest": ssl.TLSVersion.TLSv1_2, "ciphers": "AES128-SHA:@SECLEVEL=0"},
    ),
}


@asynccontextmanager
async def listening(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def leading_to(port: int) -> Serve:
    """A proxy that ends TLS."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pipe(reader, onward_writer), pipe(onward_reader, writer))

    return serve


def saying(text: str) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text.replace("\n", "\r\n").encode())
        writer.close()

    return serve


def openwebif(url: str) -> OpenWebif:
    return OpenWebif(
        ReceiverAddress.parse(url),
        connect_timeout_s=5,
        answer_timeout_s=5,
        policy=RequestPolicy(attempts=1),
    )


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_receiver_is_read_with_every_tls_version(
    kind: str, certificates: dict[str, Path]
) -> None:
    name, manner = SERVERS[kind]
    tls = context(certificates[name], **manner)  # type: ignore[arg-type]
    async with SimulatedReceiver() as receiver:
        port = int(receiver.base_url.rpartition(":")[2])
        async with (
            listening(leading_to(port), tls) as secure,
            openwebif(f"https://127.0.0.1:{secure}") as web,
        ):
            assert (await web.about()).model
            assert await web.bouquets()


async def test_a_port_without_tls_gives_one_line_with_problem_and_fix() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        writer.close()

    async with listening(plain) as port:
        done = await asyncio.to_thread(
            xg2g, "doctor", "--json", "--receiver", f"https://127.0.0.1:{port}"
        )
    [finding] = [it for it in json.loads(done.stdout) if it["topic"] == "receiver"]
    assert "no TLS connection (wrong version number)" in finding["text"]
    assert "http://" in finding["advice"]
    assert "permitted" not in done.stdout


async def test_a_server_that_requires_a_client_certificate_is_a_tls_error(
    certificates: dict[str, Path],
) -> None:
    tls = context(certificates["modern"], newest=ssl.TLSVersion.TLSv1_2)
    tls.verify_mode = ssl.CERT_REQUIRED
    async with (
        listening(saying("HTTP/1.1 200 OK\n\n"), tls) as port,
        openwebif(f"https://127.0.0.1:{port}") as web,
    ):
        with pytest.raises(TlsError, match="no TLS connection"):
            await web.about()


async def test_a_request_is_not_repeated_because_tls_failed() -> None:
    connections = 0

    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        writer.close()

    async with listening(plain) as port:
        address = ReceiverAddress.parse(f"https://127.0.0.1:{port}")
        async with OpenWebif(address, connect_timeout_s=5, answer_timeout_s=5) as web:
            with pytest.raises(TlsError, match="no TLS connection"):
                await web.about()
    assert connections == 1


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://box.example/api/about", "redirects to https://box.example;"),
        ("https://root:geheim@box.example:8443/api/about?x=1", "to https://box.example:8443;"),
        ("/elsewhere/api/about", "/elsewhere;"),
        ("/login", "/login;"),
        ("", "without a valid target"),
        ("ftp://box.example/", "without a valid target"),
        ("https://[::1/", "without a valid target"),
    ],
)
async def test_the_error_for_a_redirect_names_its_target(location: str, said: str) -> None:
    answer = f"HTTP/1.1 301 Moved\nLocation: {location}\nContent-Length: 0\n\n"
    async with listening(saying(answer)) as port, openwebif(f"http://127.0.0.1:{port}") as web:
        with pytest.raises(UnexpectedAnswerError) as raised:
            await web.about()
    assert said in str(raised.value)
    assert "geheim" not in str(raised.value)


def test_a_target_that_cannot_be_shown_is_left_out() -> None:
    assert redirect_target("http://box/a", "https://box/\x1b[31m") is None
    assert redirect_target("http://box/a", "https://box/" + "x" * 10_000) is None
    assert redirect_target("http://box/a", "//other:81/b?c#d") == "http://other:81/b"

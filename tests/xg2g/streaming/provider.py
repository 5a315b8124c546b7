"""IPTV entries for tests, and names that lead to a provider here."""

from tests.harness.scripted_daemon import daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, Script, Upstream, says
from xg2g.lineup.arrangement import Bouquet, Service, arrange
from xg2g.receiver.service_reference import ServiceReference

PROVIDER, BOX = "192.0.2.7", "192.0.2.8"


PLAYS = says(CRLF_ANSWER, PACKET * 10)


def entry(url: str, kind: str = "4097:0:1:0:0:0:0:0:0:0") -> Service:
    return Service(ServiceReference.parse(f"{kind}:{url.replace(':', '%3a')}:Web"), "Web TV")


async def play(service: Service, receiver: Script = PLAYS) -> tuple[int, str, bytes, Upstream]:
    """Watch the channel that an entry is: status, error, body, and who was asked at 8001."""
    (channel,) = arrange([Bouquet("Web", (service,))]).candidates
    async with daemon(
        receiver, bouquets=[Bouquet("Web", (service,))], first_byte_s=2, stall_s=2
    ) as gateway:
        status, headers, body = await gateway.get(f"/stream/{channel.id}.ts")
        assert all(remuxer.closed for remuxer in gateway.backend.remuxers)
        programs = [remuxer.options.program for remuxer in gateway.backend.remuxers]
        assert set(programs) <= {0}
        return status, headers.get("x-hdhomerun-error", ""), body, gateway.upstream


def address(server: Upstream, host: str = "localtest.example") -> str:
    return f"http://{host}:{server.port}/live/user/secret/1.ts?a=b&c=d"

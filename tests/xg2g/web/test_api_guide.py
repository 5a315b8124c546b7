"""The guide of the API, on real sockets."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from tests.harness.scripted_daemon import daemon
from tests.xg2g.web.api_client import BOUQUETS, FIRST, PLAYS, RADIO, at, fill, get, pages
from xg2g.guide import programme_table
from xg2g.guide.programme import Programme

pytestmark = pytest.mark.anyio


async def test_the_guide_of_some_channels_is_that_of_all_without_the_others() -> None:
    day = datetime(2026, 11, 24, tzinfo=UTC)
    hours = [day + timedelta(hours=hour) for hour in range(3)]
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, FIRST, hours)
        await fill(gateway, RADIO, hours)
        base = f"/api/v1/guide?from={at(day)}"
        every = (await get(gateway, base))["programmes"]
        both = (await get(gateway, f"{base}&channels={FIRST},{RADIO}"))["programmes"]
        radio = (await get(gateway, f"{base}&channels={RADIO},"))["programmes"]
        none = (await get(gateway, f"{base}&channels="))["programmes"]
        by_page = await pages(gateway, f"{base}&channels={RADIO},{FIRST}&limit=2", "programmes")
        await get(gateway, f"{base}&channels={FIRST},none", status=404)
        ids = ",".join(str(number) for number in range(201))
        many = await get(gateway, f"{base}&channels={ids}", status=400)
        long = await get(gateway, f"{base}&channels={'x' * 12001}", status=400)
    assert both == by_page == every
    assert radio == [each for each in every if each["channel"] == RADIO] != []
    assert none == []
    assert many["detail"] == "channels: too many ids; use at most 200"
    assert long["detail"].startswith("channels: ")


async def test_a_brief_guide_has_every_programme_without_its_description() -> None:
    day = datetime(2026, 11, 24, tzinfo=UTC)
    async with daemon(PLAYS) as gateway:
        await fill(gateway, FIRST, [day, day + timedelta(hours=1)])
        whole = (await get(gateway, f"/api/v1/guide?from={at(day)}"))["programmes"]
        brief = (await get(gateway, f"/api/v1/guide?from={at(day)}&brief=true"))["programmes"]
    assert whole[0]["description"] != "" != whole[0]["categories"]
    assert brief == [each | {"description": "", "categories": []} for each in whole]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("strasse", ["Große Straße"]),
        ("GROSSE", ["Große Straße"]),
        ("straße", ["Große Straße"]),
        ("STRAßE groß", ["Große Straße"]),
        ("ärzte", ["Die Ärzte: 100 % live_am!"]),
        ("100 % live", ["Die Ärzte: 100 % live_am!"]),
        ("_", ["Die Ärzte: 100 % live_am!"]),
        ("%", ["Die Ärzte: 100 % live_am!"]),
        ("!", ["Die Ärzte: 100 % live_am!"]),
        ("große ärzte", []),
        ("grüße", []),
        ("stroße", []),
        ("zweite", ["Große Straße"]),
        ("geheim", []),
        ("", ["Große Straße", "Die Ärzte: 100 % live_am!", "Gone"]),
        ("   ", ["Große Straße", "Die Ärzte: 100 % live_am!", "Gone"]),
    ],
)
async def test_a_search_ignores_case_and_finds_all_words_in_title_or_subtitle(
    search: str, found: list[str]
) -> None:
    day = datetime(2026, 11, 24, tzinfo=UTC)
    texts = {"Große Straße": "Zweite Folge", "Die Ärzte: 100 % live_am!": "", "Gone": ""}
    received = [
        Programme(
            begin_s=int(day.timestamp()) + 3600 * number,
            end_s=int(day.timestamp()) + 3600 * (number + 1),
            event=number,
            title=title,
            short=short,
            long="Geheim.",
            genre=None,
        )
        for number, (title, short) in enumerate(texts.items())
    ]
    async with daemon(PLAYS) as gateway:
        await gateway.gateway.database.write(lambda it: programme_table.put(it, {FIRST: received}))
        base = f"/api/v1/guide?from={at(day)}&search={quote(search)}"
        answer = await get(gateway, base)
        by_page = await pages(gateway, f"{base}&limit=1", "programmes")
        over = await get(gateway, f"/api/v1/guide?from={at(day)}&search={'x' * 101}", status=400)
    assert [each["title"] for each in answer["programmes"]] == found
    assert by_page == answer["programmes"]
    assert over["detail"].startswith("search: ")


async def test_the_guide_is_cut_by_channel_by_time_and_by_count() -> None:
    day = datetime(2026, 11, 24, tzinfo=UTC)
    hours = [day + timedelta(hours=hour) for hour in range(6)]
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, FIRST, hours)
        await fill(gateway, RADIO, hours)
        base = f"/api/v1/guide?from={at(day)}"
        four = await get(gateway, base)
        one = await get(gateway, f"{base}&channel={RADIO}&to={at(day + timedelta(hours=6))}")
        between = await get(gateway, f"{base}&to={at(day + timedelta(hours=1))}&channel={FIRST}")
        assert await get(gateway, f"/api/v1/guide?from={int(day.timestamp())}") == four
    assert len(four["programmes"]) == 8
    assert {each["channel"] for each in one["programmes"]} == {RADIO}
    assert len(one["programmes"]) == 6
    assert [each["title"] for each in between["programmes"]] == ["Title 0"]
    assert four["next"] is None


@pytest.mark.parametrize("limit", [1, 3, 7, 12])
@pytest.mark.parametrize("channel", ["", f"&channel={RADIO}"])
async def test_the_guide_is_read_page_by_page_without_gap_or_repetition(
    limit: int, channel: str
) -> None:
    day = datetime(2026, 11, 24, tzinfo=UTC)
    hours = [day + timedelta(hours=hour) for hour in range(6)]
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, FIRST, hours)
        await fill(gateway, RADIO, hours)
        base = f"/api/v1/guide?from={at(day)}&to={at(day + timedelta(hours=6))}{channel}"
        whole = (await get(gateway, base))["programmes"]
        assert len(whole) == (6 if channel else 12)
        assert await pages(gateway, f"{base}&limit={limit}", "programmes") == whole


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=2026-11-24T00:00:00",
        "from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z",
        "from=2026-11-24T00:00:00Z&to=2027-11-24T00:00:00Z",
        "from=9999-12-31T23:59:59-14:00&to=0001-01-01T00:00:00%2B14:00",
        "limit=0",
        "limit=5001",
        "limit=many",
    ],
)
async def test_an_invalid_query_of_the_guide_is_refused_with_the_reason(query: str) -> None:
    async with daemon(PLAYS) as gateway:
        problem = await get(gateway, f"/api/v1/guide?{query}", status=400)
    assert (problem["status"], problem["title"]) == (400, "Bad Request")
    assert problem["detail"].startswith(f"{query.split('&')[-1].split('=')[0]}: ")

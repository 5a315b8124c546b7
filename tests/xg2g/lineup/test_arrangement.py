"""From bouquets to channels."""

from collections.abc import Mapping, Sequence

from xg2g.lineup.arrangement import Arrangement, Bouquet, Service, arrange
from xg2g.receiver.service_reference import ServiceReference


def service(sid: int, name: str = "", *, flags: int = 0, suffix: str = "") -> Service:
    reference = f"1:{flags}:19:{sid:X}:3FB:1:C00000:0:0:0:{suffix}"
    return Service(ServiceReference.parse(reference), name or f"Channel {sid}")


def web(url: str, name: str = "Web TV", kind: str = "4097:0:1:0:0:0:0:0:0:0") -> Service:
    return Service(ServiceReference.parse(f"{kind}:{url.replace(':', '%3a')}:{name}"), name)


def group(file: str, *members: Service, name: str = "Das Erste") -> Service:
    text = f'1:134:1:0:0:0:0:0:0:0:FROM BOUQUET "{file}" ORDER BY bouquet'
    references = tuple(member.reference for member in members)
    return Service(ServiceReference.parse(text), name, references)


def numbered(arrangement: Arrangement) -> list[tuple[int, str]]:
    return [(candidate.position, candidate.name) for candidate in arrangement.candidates]


def grouped(arrangement: Arrangement) -> dict[str, Sequence[str]]:
    names: Mapping[str, str] = {c.id: c.name for c in arrangement.candidates}
    return {group.name: [names[id_] for id_ in group.channel_ids] for group in arrangement.groups}


def test_channels_are_counted_in_the_receivers_order_across_bouquets() -> None:
    arrangement = arrange([Bouquet("One", (service(1), service(2))), Bouquet("Two", (service(3),))])
    assert numbered(arrangement) == [(1, "Channel 1"), (2, "Channel 2"), (3, "Channel 3")]


def test_a_service_in_several_bouquets_is_one_channel_in_all_their_groups() -> None:
    again = service(1, "Another name", suffix=":Another name")
    arrangement = arrange(
        [Bouquet("One", (service(1), service(2))), Bouquet("Two", (again, service(3)))]
    )
    # The remote control has the second entry as number 3.
    assert numbered(arrangement) == [(1, "Channel 1"), (2, "Channel 2"), (4, "Channel 3")]
    assert grouped(arrangement) == {
        "One": ["Channel 1", "Channel 2"],
        "Two": ["Channel 1", "Channel 3"],
    }


def test_markers_are_no_channels_and_only_numbered_ones_take_a_number() -> None:
    entries = (
        service(0, "News", flags=64),
        service(1),
        service(0, "Hidden", flags=832),
        service(2),
    )
    arrangement = arrange([Bouquet("One", entries)])
    assert numbered(arrangement) == [(1, "Channel 1"), (3, "Channel 2")]
    assert arrangement.left_out == 0


def test_a_bouquet_inside_another_is_a_group_of_its_own_in_its_place() -> None:
    inner = Bouquet("Inner", (service(2),))
    arrangement = arrange([Bouquet("Outer", (service(1), inner, service(3)))])
    assert [number for number, _ in numbered(arrangement)] == [1, 2, 3]
    assert grouped(arrangement) == {
        "Outer": ["Channel 1", "Channel 3"],
        "Inner": ["Channel 2"],
    }


def test_a_name_with_a_comma_counts_whole_wherever_the_receiver_has_it() -> None:
    """A list on one line comes cut at every comma."""
    bouquets = [
        Bouquet("Film, Serien", (service(1),), "a"),
        Bouquet("Kinder", (service(2), Bouquet("Rock, Pop,  Jazz", (service(3),), "c")), "b"),
        Bouquet("Serien, alt", (service(4),), "d"),
    ]
    for wanted in (["Film, Serien"], ["film", "SERIEN"]):
        assert grouped(arrange(bouquets, wanted=wanted)) == {"Film, Serien": ["Channel 1"]}
    several = arrange(bouquets, wanted=["Rock", "Pop", "Jazz", "Film", "Serien", "alt"])
    assert list(grouped(several)) == ["Film, Serien", "Rock, Pop, Jazz"]
    assert several.missing == ("alt",)
    assert arrange(bouquets, wanted=["Film"]).missing == ("Film",)


def test_pieces_that_are_bouquets_of_their_own_stay_apart() -> None:
    bouquets = [
        Bouquet("Film", (service(1),), "a"),
        Bouquet("Serien", (service(2),), "b"),
        Bouquet("Film, Serien", (service(3),), "c"),
    ]
    assert list(grouped(arrange(bouquets, wanted=["Film", "Serien"]))) == ["Film", "Serien"]
    assert list(grouped(arrange(bouquets, wanted=["Film, Serien"]))) == ["Film, Serien"]


def test_two_bouquets_of_one_name_stay_two() -> None:
    bouquets = [
        Bouquet("Favourites", (service(1),), 'FROM BOUQUET "a.tv"'),
        Bouquet("Favourites", (service(2),), 'FROM BOUQUET "a.radio"', radio=True),
    ]
    assert [len(group.channel_ids) for group in arrange(bouquets).groups] == [1, 1]


def test_only_wanted_bouquets_are_served_and_the_others_count_all_the_same() -> None:
    bouquets = [
        Bouquet("Sport", (service(1), service(2))),
        Bouquet("Films", (service(3), Bouquet("Old films", (service(4),)))),
        Bouquet("News", (service(5),)),
    ]
    arrangement = arrange(bouquets, wanted=["FILMS", "Comedy"])
    assert numbered(arrangement) == [(3, "Channel 3"), (4, "Channel 4")]
    assert list(grouped(arrangement)) == ["Films", "Old films"]
    assert arrangement.missing == ("Comedy",)


def test_a_wanted_bouquet_may_stand_inside_another() -> None:
    bouquets = [Bouquet("All", (service(1), Bouquet("Sport", (service(2),))))]
    assert grouped(arrange(bouquets, wanted=["sport"])) == {"Sport": ["Channel 2"]}


def test_a_wanted_bouquet_that_is_empty_is_not_missing() -> None:
    arrangement = arrange([Bouquet("Empty", ())], wanted=["empty"])
    assert (arrangement.missing, arrangement.groups) == ((), ())


def test_iptv_channels_with_different_urls_have_different_ids() -> None:
    one, two = web("http://example.org/1.ts"), web("http://example.org/2.ts")
    arrangement = arrange([Bouquet("One", (one, two, one))])
    ids = [candidate.id for candidate in arrangement.candidates]
    assert len(set(ids)) == 2
    assert all(id_.startswith("4097_0_1_0_0_0_0_0_0_0_") for id_ in ids)
    assert [candidate.sources[0].path for candidate in arrangement.candidates] == [
        "http://example.org/1.ts",
        "http://example.org/2.ts",
    ]


def test_the_receivers_own_relay_is_the_service_itself() -> None:
    relay = web(
        "http://127.0.0.1:17999/1:0:19:283D:3FB:1:C00000:0:0:0:",
        kind="1:0:19:283D:3FB:1:C00000:0:0:0",
    )
    assert arrange([Bouquet("One", (relay,))]).candidates[0].id == (
        "1_0_19_283D_3FB_1_C00000_0_0_0"
    )


def test_entries_that_cannot_be_played_are_left_out_and_counted() -> None:
    entries = (
        web("rtsp://example.org/live"),
        web("file:///etc/passwd"),
        web("http:///nowhere"),
        web("http://example.org:99999/"),
        Service(ServiceReference.parse("1:0:0:0:0:0:0:0:0:0:/media/hdd/film.ts"), "A film"),
        group("alternatives.empty.tv"),
        service(1),
    )
    arrangement = arrange([Bouquet("One", entries)])
    assert numbered(arrangement) == [(7, "Channel 1")]
    assert arrangement.left_out == 6


def test_making_a_service_a_group_of_alternatives_keeps_the_channel() -> None:
    plain = arrange([Bouquet("One", (service(1),))]).candidates[0]
    as_group = arrange(
        [Bouquet("One", (group("alternatives.one.tv", service(1), service(2)),))]
    ).candidates[0]
    assert as_group.id == plain.id
    assert [source.sid for source in as_group.sources] == [1, 2]
    assert as_group.name == "Das Erste"


def test_a_group_whose_members_are_put_in_another_order_stays_the_channel() -> None:
    first = group("alternatives.one.tv", service(1), service(2))
    turned = group("alternatives.one.tv", service(2), service(1))
    before = arrange([Bouquet("One", (first,))]).candidates[0]
    known = {before.alternatives: before.id}
    after = arrange([Bouquet("One", (turned,))], known_groups=known).candidates[0]
    assert after.id == before.id
    assert [source.sid for source in after.sources] == [2, 1]


def test_a_service_that_stands_alone_and_in_a_group_is_one_channel_with_all_alternatives() -> None:
    entries = (service(1, "SD"), group("alternatives.one.tv", service(1), service(2)))
    (channel,) = arrange([Bouquet("One", entries)]).candidates
    assert channel.name == "SD"
    assert [source.sid for source in channel.sources] == [1, 2]


def test_radio_is_told_by_service_type_or_by_a_radio_bouquet() -> None:
    radio = Service(ServiceReference.parse("1:0:2:6DCA:44D:1:C00000:0:0:0:"), "Bayern 3")
    arrangement = arrange(
        [
            Bouquet("TV", (service(1), radio)),
            Bouquet("Radio", (web("http://example.org/radio"),), radio=True),
        ]
    )
    assert [candidate.radio for candidate in arrangement.candidates] == [False, True, True]


def test_a_name_keeps_the_characters_that_its_script_needs() -> None:
    name = "\u0634\u0628\u06a9\u0647\u200c\u062e\u0628\u0631"
    (channel,) = arrange([Bouquet("TV", (service(1, f"\u202e{name}\u202c"),))]).candidates
    assert channel.name == name


def test_a_name_comes_without_broadcast_control_characters() -> None:
    arrangement = arrange([Bouquet("O\x1ane", (service(1, " Das \x86Erste\x87\tHD "),))])
    assert grouped(arrangement) == {"One": ["Das Erste HD"]}


def test_a_nameless_service_takes_its_name_from_the_reference_without_the_provider() -> None:
    nameless = Service(ServiceReference.parse("1:0:19:1:3FB:1:C00000:0:0:0::Das Erste HD•ARD"), "")
    without_any = Service(ServiceReference.parse("1:0:19:2:3FB:1:C00000:0:0:0:"), "")
    arrangement = arrange([Bouquet("One", (nameless, without_any))])
    assert [candidate.name for candidate in arrangement.candidates] == [
        "Das Erste HD",
        "Service 2",
    ]

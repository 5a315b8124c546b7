"""From bouquets to channels."""

from xg2g.lineup import Bouquet, Service, arrange
from xg2g.receiver.service_reference import ServiceReference


def service(sid: int, name: str = "", *, flags: int = 0, suffix: str = "") -> Service:
    reference = f"1:{flags}:19:{sid:X}:3FB:1:C00000:0:0:0:{suffix}"
    return Service(ServiceReference.parse(reference), name or f"Channel {sid}")


def iptv(name: str) -> Service:
    reference = f"4097:0:1:0:0:0:0:0:0:0:http%3a//example.org/live:{name}"
    return Service(ServiceReference.parse(reference), name)


def test_channels_are_numbered_in_the_receivers_order_across_bouquets() -> None:
    lineup = arrange(
        [
            Bouquet("One", (service(1), service(2))),
            Bouquet("Two", (service(3),)),
        ]
    )
    assert [(channel.number, channel.name) for channel in lineup.channels] == [
        (1, "Channel 1"),
        (2, "Channel 2"),
        (3, "Channel 3"),
    ]


def test_a_service_in_several_bouquets_is_one_channel_in_all_their_groups() -> None:
    again = service(1, "Another name", suffix=":Another name")
    lineup = arrange(
        [Bouquet("One", (service(1), service(2))), Bouquet("Two", (again, service(3)))]
    )
    assert [(c.number, c.name, c.groups) for c in lineup.channels] == [
        (1, "Channel 1", ("One", "Two")),
        (2, "Channel 2", ("One",)),
        # The remote control has the second entry as number 3.
        (4, "Channel 3", ("Two",)),
    ]


def test_markers_are_no_channels_and_only_numbered_ones_take_a_number() -> None:
    entries = (
        service(0, "News", flags=64),
        service(1),
        service(0, "Hidden", flags=832),
        service(2),
    )
    lineup = arrange([Bouquet("One", entries)])
    assert [(channel.number, channel.name) for channel in lineup.channels] == [
        (1, "Channel 1"),
        (3, "Channel 2"),
    ]
    assert lineup.left_out == 0


def test_a_bouquet_inside_another_is_a_group_of_its_own_in_its_place() -> None:
    inner = Bouquet("Inner", (service(2),))
    lineup = arrange([Bouquet("Outer", (service(1), inner, service(3)))])
    assert [(c.number, c.groups) for c in lineup.channels] == [
        (1, ("Outer",)),
        (2, ("Inner",)),
        (3, ("Outer",)),
    ]


def test_what_no_tuner_brings_is_left_out_and_counted() -> None:
    lineup = arrange([Bouquet("One", (iptv("Web TV"), service(1)))])
    assert [(channel.number, channel.name) for channel in lineup.channels] == [(2, "Channel 1")]
    assert lineup.left_out == 1


def test_a_name_comes_without_broadcast_control_characters() -> None:
    lineup = arrange([Bouquet("O\x1ane", (service(1, " Das \x86Erste\x87\tHD "),))])
    assert lineup.channels[0].name == "Das Erste HD"
    assert lineup.channels[0].groups == ("One",)


def test_a_nameless_service_takes_its_name_from_the_reference_without_the_provider() -> None:
    nameless = Service(ServiceReference.parse("1:0:19:1:3FB:1:C00000:0:0:0::Das Erste HD•ARD"), "")
    without_any = Service(ServiceReference.parse("1:0:19:2:3FB:1:C00000:0:0:0:"), "")
    lineup = arrange([Bouquet("One", (nameless, without_any))])
    assert [channel.name for channel in lineup.channels] == ["Das Erste HD", "Service 2"]


def test_a_channel_is_found_by_its_id() -> None:
    lineup = arrange([Bouquet("One", (service(1), service(2)))])
    assert lineup.find("1_0_19_2_3FB_1_C00000_0_0_0") == lineup.channels[1]
    assert lineup.find("1_0_19_9_3FB_1_C00000_0_0_0") is None

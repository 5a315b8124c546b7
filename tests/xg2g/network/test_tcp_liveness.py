"""Paused and vanished clients, told apart by TCP."""

from collections.abc import Iterable

import pytest

from xg2g.network.tcp_liveness import SILENCE_S, Acknowledgements, TcpInfo

INTERVAL_S = 0.5


def found_after_s(looks: Iterable[TcpInfo]) -> float | None:
    """Return the time at which a connection counts as vanished, or None."""
    its = Acknowledgements()
    for number, info in enumerate(looks):
        if its.have_ceased(info, 1000 + number * INTERVAL_S):
            return number * INTERVAL_S
    return None


def test_a_playing_client_is_kept() -> None:
    """At each check, data is in flight and the last acknowledgement is recent."""
    assert found_after_s([TcpInfo(5, 0, 0.01)] * 100) is None


def test_a_paused_client_is_kept_for_hours() -> None:
    """Nothing is in flight; each probe is answered, some just now, some not yet."""
    looks = [TcpInfo(0, number % 2, (number % 4) * INTERVAL_S) for number in range(20_000)]
    assert found_after_s(looks) is None


def test_a_pause_with_probes_minutes_apart_is_kept() -> None:
    """The probes of kernels without a maximum interval."""
    looks = [TcpInfo(0, 0, at_s % 120) for at_s in range(3600)]
    looks += [TcpInfo(0, 1, 120.0)]
    assert found_after_s(looks) is None


def test_a_single_lost_probe_ends_no_pause() -> None:
    looks = [TcpInfo(0, 1, 1.0), TcpInfo(0, 1, 1.5), TcpInfo(0, 0, 0.0)] * 10
    assert found_after_s(looks) is None


def test_a_client_that_vanishes_while_playing_is_detected_in_time() -> None:
    looks = [TcpInfo(40, 0, number * INTERVAL_S) for number in range(20)]
    assert found_after_s(looks) == SILENCE_S


def test_a_client_that_vanishes_while_paused_is_detected_in_time() -> None:
    looks = [TcpInfo(0, int(number * INTERVAL_S), number * INTERVAL_S) for number in range(20)]
    assert found_after_s(looks) == SILENCE_S


@pytest.mark.parametrize("quiet_s", [3.0, 5.0, 3600.0])
def test_data_sent_after_a_quiet_time_is_not_overdue_at_once(quiet_s: float) -> None:
    """The last acknowledgement is as old as the previous data."""
    looks = [
        TcpInfo(0, 0, quiet_s),
        TcpInfo(1, 0, quiet_s + 0.5),
        TcpInfo(0, 0, 0.1),
    ]
    assert found_after_s(looks * 50) is None


def test_a_short_network_outage_ends_no_client() -> None:
    away = int((SILENCE_S - 1) / INTERVAL_S)
    looks = [TcpInfo(9, 0, number * INTERVAL_S) for number in range(away)] + [TcpInfo(9, 0, 0.0)]
    assert found_after_s(looks * 20) is None

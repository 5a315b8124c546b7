"""The loss measurement finds missing sound, and only that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.load.loss.streams import Stream, made
from tests.oracle.hearing import BLOCK, RATE_HZ, Heard, hear, missing_ms
from tests.oracle.multiplexer import sound


@pytest.fixture
def reference() -> Heard:
    samples = sound(2.0)
    return Heard(90_000, samples, np.ones(samples.shape[1], bool), 0)


def shifted(heard: Heard, samples: int) -> Heard:
    return replace(heard, samples=np.roll(heard.samples, samples, axis=1))


def test_nothing_is_missing_from_the_same_sound(reference: Heard) -> None:
    assert missing_ms(reference, reference) == 0


def test_a_hole_is_missing_to_a_block(reference: Heard) -> None:
    samples = reference.samples.copy()
    samples[:, 48_000 : 48_000 + RATE_HZ // 10] = 0
    found = missing_ms(reference, replace(reference, samples=samples))
    assert found == pytest.approx(100, abs=1000 * BLOCK / RATE_HZ)


def test_sound_at_another_moment_is_missing(reference: Heard) -> None:
    assert missing_ms(reference, shifted(reference, RATE_HZ // 100)) > 1500


def test_no_sound_at_all_is_missing_whole(reference: Heard) -> None:
    assert missing_ms(reference, None) == pytest.approx(2000)


def test_a_later_start_counts_where_it_begins(reference: Heard) -> None:
    late = Heard(90_000 + 9_000, reference.samples[:, 4_800:], reference.covered[4_800:], 0)
    assert missing_ms(reference, late) == pytest.approx(100, abs=5)


def test_each_copy_lacks_the_packets_and_ffmpeg_hears_it() -> None:
    stream: Stream = next(iter(made()))
    clean = hear(stream.data, stream.pid)
    assert clean is not None
    assert clean.errors == 0
    for damaged in stream.with_loss(2, packets=3):
        assert len(stream.data) - len(damaged) == 3 * 188
        assert missing_ms(clean, hear(damaged, stream.pid)) > 20

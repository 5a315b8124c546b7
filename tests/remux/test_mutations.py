"""A thousand seeded mutations: never an error, never a byte out of packets, never a
runaway of time or memory."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from tests.harness.process import resident_bytes
from tests.harness.remuxer import chunks, remux_pieces
from tests.oracle.multiplexer import Entry, Multiplexer, Program, encode, sound
from tests.remux.recordings import all_sources

MUTATIONS = 1000
PER_TEST = 50
SLICE_BYTES = 400_000
CPU_S = 2.0
GROWTH_BYTES = 64 << 20
GROWTH = 8
"""AAC of 192 kbit/s takes this much more room than HE-AAC of 32 kbit/s."""

Mutation = Callable[[random.Random, bytes], bytes]


@cache
def corpus() -> list[bytes]:
    """Every recording that is here, every stand-in, and a stream of every codec."""
    made = [source.read_bytes() for source in all_sources()]
    codecs = {0x102: "mp2", 0x103: "ac3", 0x104: "eac3", 0x105: "aac_latm", 0x106: "aac"}
    types = {0x102: 3, 0x103: 0x81, 0x104: 0x87, 0x105: 0x11, 0x106: 0x0F}
    program = Program(1, 0x100, 0x101, tuple(Entry(types[pid], pid) for pid in codecs))
    mux = Multiplexer([program], video_pid=0x101)
    for pid, codec in codecs.items():
        mux.add(pid, encode(codec, sound(1)))
    mux.run(1)
    return [*made, mux.output()]


def flip_bits(rng: random.Random, stream: bytes) -> bytes:
    bits = np.frombuffer(stream, np.uint8).copy()
    count = max(1, round(len(stream) * 8 * 10 ** rng.uniform(-5, -2.5)))
    noise = np.random.default_rng(rng.randrange(1 << 32))
    at = noise.integers(0, len(stream), count)
    np.bitwise_xor.at(bits, at, (1 << noise.integers(0, 8, count)).astype(np.uint8))
    return bits.tobytes()


def _packets(stream: bytes) -> list[bytes]:
    return [stream[at : at + 188] for at in range(0, len(stream), 188)]


def drop_packets(rng: random.Random, stream: bytes) -> bytes:
    rate = 10 ** rng.uniform(-3, -0.5)
    return b"".join(p for p in _packets(stream) if rng.random() > rate)


def repeat_packets(rng: random.Random, stream: bytes) -> bytes:
    rate = 10 ** rng.uniform(-3, -0.5)
    return b"".join(p * (1 + (rng.random() < rate) * rng.randint(1, 3)) for p in _packets(stream))


def swap_packets(rng: random.Random, stream: bytes) -> bytes:
    packets = _packets(stream)
    for _ in range(max(1, len(packets) // 50)):
        a = rng.randrange(len(packets))
        b = min(len(packets) - 1, a + rng.randint(1, 20))
        packets[a], packets[b] = packets[b], packets[a]
    return b"".join(packets)


def truncate(rng: random.Random, stream: bytes) -> bytes:
    return stream[rng.randrange(len(stream)) :][: rng.randrange(1, len(stream) + 1)]


def cut_bytes(rng: random.Random, stream: bytes) -> bytes:
    for _ in range(rng.randint(1, 10)):
        at = rng.randrange(len(stream))
        stream = stream[:at] + rng.randbytes(rng.choice([0, 1, 50, 1000])) + stream[at + 5 :]
    return stream


def splice(rng: random.Random, stream: bytes) -> bytes:
    other = _slice(rng, rng.choice(corpus()))
    return stream[: rng.randrange(len(stream))] + other[rng.randrange(len(other)) :]


def spoil_headers(rng: random.Random, stream: bytes) -> bytes:
    """Damage where parsers look: the first bytes of packets and of their payloads."""
    spoilt = bytearray(stream)
    for at in range(0, len(stream) - 188, 188):
        if rng.random() < 0.02:
            spoilt[at + rng.choice([1, 2, 3, 3, 4, 4, 5, 7, 8, 9, 12, 15])] = rng.randrange(256)
    return bytes(spoilt)


MUTATORS: list[Mutation] = [
    flip_bits,
    drop_packets,
    repeat_packets,
    swap_packets,
    truncate,
    cut_bytes,
    splice,
    spoil_headers,
]


def _slice(rng: random.Random, stream: bytes) -> bytes:
    if len(stream) <= SLICE_BYTES:
        return stream
    start = rng.choice([0, rng.randrange(0, len(stream) - SLICE_BYTES, 188)])
    return stream[start : start + SLICE_BYTES]


def mutated(seed: int) -> bytes:
    """The mutation of a number, the same in every run over the same corpus."""
    rng = random.Random(seed)
    stream = _slice(rng, rng.choice(corpus()))
    for mutator in rng.sample(MUTATORS, rng.choice([1, 1, 1, 2, 3])):
        stream = mutator(rng, stream) or b"\x47"
    return stream


@pytest.mark.parametrize("first", range(0, MUTATIONS, PER_TEST))
def test_mutations_are_survived(first: int) -> None:
    corpus()
    before = resident_bytes()
    for seed in range(first, first + PER_TEST):
        stream = mutated(seed)
        began_s = time.process_time()
        output = asyncio.run(remux_pieces(chunks(stream))).output
        spent_s = time.process_time() - began_s
        assert len(output) % 188 == 0 and set(output[::188]) <= {0x47}, seed
        assert len(output) <= GROWTH * len(stream) + 100_000, (seed, len(stream), len(output))
        assert spent_s < CPU_S, (seed, spent_s)
    assert resident_bytes() - before < GROWTH_BYTES


def test_the_same_seed_is_the_same_stream() -> None:
    assert mutated(7) == mutated(7) and mutated(7) != mutated(8)

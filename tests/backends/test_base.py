"""Options are checked where they are made; statistics are read from the remuxer's JSON."""

from typing import Any

import pytest

from xg2g_backends.base import RemuxOptions, RemuxStats, TrackState, TrackStats
from xg2g_backends.errors import InvalidArgumentError


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"sample_rate": 47_999}, "47999 Hz"),
        ({"channels": 3}, "channels 3"),
        ({"bitrate": 7_999}, "8000 to 576000"),
        ({"bitrate": 576_001}, "8000 to 576000"),
        ({"program": -1}, "program -1"),
        ({"program": 65_536}, "program 65536"),
        ({"generation": -1}, "generation -1"),
        ({"generation": 1 << 32}, "generation 4294967296"),
        ({"tracks": "deu"}, 'tracks "deu"'),
        ({"tracks": ()}, "tracks is empty"),
        ({"tracks": ("deu", "german")}, '"german"'),
        ({"tracks": ("d\u00e9u",)}, "ISO 639"),
        ({"tracks": ("de", "xx")}, '"xx"'),
        ({"dual_mono": "middle"}, 'dual_mono "middle"'),
    ],
)
def test_an_option_out_of_range_says_which_and_what_to_use(
    values: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        RemuxOptions(**values)


def test_unknown_counters_of_a_newer_remuxer_are_ignored() -> None:
    stats = RemuxStats.from_json(
        {
            "bytes_in": 376,
            "of_the_future": 1,
            "tracks": [
                {
                    "pid": 257,
                    "program": 1,
                    "output_pid": 257,
                    "state": "converting",
                    "codec": "ac3",
                    "language": "deu",
                    "of_the_future": 2,
                }
            ],
        }
    )
    assert stats == RemuxStats(
        bytes_in=376,
        tracks=(
            TrackStats(
                pid=257,
                program=1,
                output_pid=257,
                state=TrackState.CONVERTING,
                codec="ac3",
                language="deu",
            ),
        ),
    )

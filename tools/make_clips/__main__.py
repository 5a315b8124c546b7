"""Makes the simulated receiver's clips with Debian's ffmpeg (libx264, libx265): run by hand, the
result is committed.

    python -m tools.make_clips [NAME ...] [--out xg2g/simulator/clips]
"""

import argparse
from pathlib import Path

from tools.make_clips import browser_cards, first_cards

CLIPS = first_cards.CLIPS | browser_cards.CLIPS


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the simulated receiver's clips.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CLIPS)}")
    parser.add_argument("--out", type=Path, default=Path("xg2g/simulator/clips"))
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in CLIPS]:
        parser.error(f"no clip is called {', '.join(unknown)}; there are: {', '.join(CLIPS)}")
    for name in options.names or CLIPS:
        (options.out / f"{name}.ts").write_bytes(CLIPS[name]())


if __name__ == "__main__":
    main()

"""Make one playlist and one guide of several daemons: merge_daemons.py FOLDER URL URL ...

A channel that several have is taken from the first. Numbers stay, except those that an earlier
daemon has already: they go up by a thousand until they are free.
"""

import re
import sys
from pathlib import Path
from urllib.request import urlopen
from xml.etree import ElementTree

NUMBER = re.compile(r'((?:tvg-chno|channel-number)=)"(\d+)"')
STEP = 1000


def text(url: str) -> str:
    with urlopen(url, timeout=30) as response:
        body: bytes = response.read()
    return body.decode()


def merge(folder: Path, daemons: list[str]) -> None:
    playlist, guide = ["#EXTM3U"], ElementTree.Element("tv")
    ids: set[str] = set()
    numbers: set[int] = set()
    for daemon in daemons:
        own: dict[str, int] = {}
        takes = False
        for line in text(f"{daemon}/playlist.m3u").splitlines()[1:]:
            if line.startswith("#EXTINF"):
                id_ = line.partition('tvg-id="')[2].partition('"')[0]
                takes = id_ not in ids and id_ not in own
                if takes:
                    found = NUMBER.search(line)
                    number = int(found[2]) if found else 1
                    while number in numbers:
                        number += STEP
                    numbers.add(number)
                    own[id_] = number
                    line = NUMBER.sub(rf'\g<1>"{number}"', line)
            if takes:
                playlist.append(line)
        channels = ElementTree.fromstring(text(f"{daemon}/xmltv.xml"))
        for item in channels:
            id_ = item.get("id") or item.get("channel") or ""
            if id_ not in own:
                continue
            for name in item.findall("display-name"):
                # Plex matches by it.
                if (name.text or "").isdigit():
                    name.text = str(own[id_])
            guide.append(item)
        ids |= own.keys()
    (folder / "all.m3u").write_text("\n".join(playlist) + "\n")
    ElementTree.ElementTree(guide).write(folder / "all.xml", "utf-8", xml_declaration=True)


if __name__ == "__main__":
    merge(Path(sys.argv[1]), sys.argv[2:])

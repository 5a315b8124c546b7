"""Copies the licences of Python and of its installed packages: scripts/licenses.py LIST FOLDER.

LIST is a file of requirements. What a package says of itself without a file is in NOTICE.
"""

import re
import shutil
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


def main() -> None:
    requirements, folder = map(Path, sys.argv[1:])
    shutil.copy(Path(sysconfig.get_path("stdlib"), "LICENSE.txt"), folder / "Python.txt")
    for name in re.findall(r"^([\w.-]+)==", requirements.read_text(), re.MULTILINE):
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:  # for another platform
            continue
        for file in files:
            if re.match(r"(?i)(licen[cs]e|copying|notice)", file.name):
                shutil.copy(Path(str(file.locate())), folder / f"{name}-{file.name}")


if __name__ == "__main__":
    main()

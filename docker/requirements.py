"""The dependencies of pyproject.toml as a requirements file: all without some names, or these names only.

For the images: torch is a layer of its own, and the image of pages and HTTP interface does without it.
"""

import argparse
import re
import tomllib
from pathlib import Path


def requirements(text: str, *, without: list[str], only: list[str]) -> list[str]:
    """The requirements of a pyproject.toml's text; ValueError for a name that is not among them."""
    named = {
        re.split(r"[^\w.-]", entry, maxsplit=1)[0]: entry for entry in tomllib.loads(text)["project"]["dependencies"]
    }
    if unknown := [name for name in (*without, *only) if name not in named]:
        raise ValueError(f"pyproject.toml has no dependency {', '.join(unknown)}; it has {', '.join(named)}")
    return [entry for name, entry in named.items() if name not in without and (not only or name in only)]


def main() -> None:
    """Print them, one a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--only", action="append", default=[])
    asked = parser.parse_args()
    print("\n".join(requirements(Path("pyproject.toml").read_text("utf-8"), without=asked.without, only=asked.only)))


if __name__ == "__main__":
    main()

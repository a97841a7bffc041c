"""Where a result comes from: version, commit, machine."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any


def provenance() -> dict[str, Any]:
    """What a saved result says of the code and the machine that made it. commit: None outside a checkout."""
    return {
        "version": version("organon"),
        "commit": _commit(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "torch": version("torch"),
        },
    }


def _commit() -> str | None:
    """The checkout's commit, with a + where files differ from it."""
    here = Path(__file__).resolve().parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"],
            cwd=here, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:  # no git
        return None
    return done.stdout.strip() or None

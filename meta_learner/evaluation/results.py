"""Results as JSON: what was measured, by which version, on which machine, when. No torch at import.

A file holds ``{"kind": "benchmark", "domain": …, "title": …, "rows": […]}``, a row a policy and setting: rows of other
settings stay, and one of the same setting is replaced by a newer one of at least as many runs. Other kinds of results
use ``save`` with their own document and ``provenance()`` in it.
"""

import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

_RESULTS = (":!tests/benchmarks/results", ":!BENCHMARKS.md")  # what a measurement itself changes
SETTING = (  # what fixes a row's numbers, but for the number of runs; None where there is no belief
    "identity", "policy", "budget", "contrasts", "proposals", "seed", "block_runs", "particles", "moves",
)  # fmt: skip


def provenance(device: str = "cpu", processes: int = 1) -> dict[str, Any]:
    """Version, commit, machine and date, for every result."""
    import torch

    return {
        "organon": version("organon"),
        "commit": _commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "torch": torch.__version__,
            "device": device,
            "threads": 1,
            "processes": processes,
        },
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str | None:
    """The commit of the source tree, ``+`` after it where the tree has changes, results aside; None outside a tree."""
    root = Path(__file__).resolve().parents[2]
    try:
        hash_ = _git(root, "rev-parse", "--short=12", "HEAD")
        changes = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *_RESULTS)
        return hash_ + ("+" if changes else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def plain(value: Any) -> Any:
    """For JSON, which has no infinity: numbers that are not finite become null."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def failed_in_words(row: dict[str, Any]) -> str:
    """What a benchmark's row has to say of runs whose belief failed; empty if none did."""
    failed = row.get("failed", 0)
    many = f"{failed} of {row['runs']} runs of {row['policy']}"
    return f"in {many} the belief came to rule out what happened: more particles may mend it" if failed else ""


def setting(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a row was measured with; of two rows with the same, one is enough."""
    return tuple(row.get(name) for name in SETTING)


def merge(path: Path, document: dict[str, Any]) -> None:
    """Write a benchmark's rows into a file: they replace those of the same setting, unless these have more runs, and
    others stay."""
    kept = load(path)["rows"] if path.exists() else []
    new = [row for row in document["rows"] if _better(kept, row) is None]
    replaced = {setting(row) for row in new}
    save(path, {**document, "rows": [*(row for row in kept if setting(row) not in replaced), *new]})


def better_kept(path: Path, rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The policy whose row in the file has the setting of one of ``rows`` and more runs; None where there is none."""
    kept = load(path)["rows"] if path.exists() else []
    return next((found["policy"] for row in rows if (found := _better(kept, row)) is not None), None)


def _better(kept: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((other for other in kept if setting(other) == setting(row) and other["runs"] > row["runs"]), None)


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def save(path: Path, document: dict[str, Any]) -> None:
    """Write a result, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".partial")
    draft.write_text(json.dumps(plain(document), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)

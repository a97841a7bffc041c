"""The runs of a group, kept in a file once they are there: a study of hours goes on where it was.

A file's name holds a hash of everything that its runs depend on, so that runs of another setting are never taken.
"""

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from meta_learner.evaluation.adaptation.curves import Array, Curves
from meta_learner.evaluation.adaptation.study import Group, GroupRuns

_ABOUT, _REFERENCE = "about", "reference"
_ARRAYS = ("score", "spent", "experiments")
_NUMBERS = tuple(field.name for field in fields(Curves) if field.name not in _ARRAYS)


def place(folder: Path, group: Group, depends: dict[str, Any]) -> Path:
    """Where the runs of a group that depend on this lie."""
    about = json.dumps({"identity": group.domain.identity, "shift": group.shift, **depends}, sort_keys=True)
    return folder / f"{group.domain.name}-{hashlib.sha256(about.encode()).hexdigest()[:12]}.safetensors"


def keep(path: Path, runs: GroupRuns) -> None:
    """Write a group's runs, whole or not at all."""
    everyone = [*runs.agents.items(), (_REFERENCE, runs.reference)]
    arrays = {f"{at}/{name}": getattr(one, name) for at, (_, one) in enumerate(everyone) for name in _ARRAYS}
    about = {
        "budgets": runs.budgets,
        "names": list(runs.agents),
        "numbers": [{name: getattr(one, name) for name in _NUMBERS} for _, one in everyone],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".partial")
    save_file({name: np.ascontiguousarray(value) for name, value in arrays.items()}, draft, {_ABOUT: json.dumps(about)})
    draft.replace(path)


def kept(path: Path, group: Group) -> GroupRuns | None:
    """A group's runs as they were kept, if they were."""
    if not path.exists():
        return None
    with safe_open(path, "numpy") as file:
        about = json.loads(file.metadata()[_ABOUT])
        arrays: dict[str, Array] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    everyone = [
        Curves(**{name: arrays[f"{at}/{name}"] for name in _ARRAYS}, **numbers)
        for at, numbers in enumerate(about["numbers"])
    ]
    agents = dict(zip(about["names"], everyone[:-1], strict=True))
    return GroupRuns(group, tuple(about["budgets"]), agents, everyone[-1])

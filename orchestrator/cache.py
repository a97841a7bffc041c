"""Saved beliefs: a cache of the fold over recorded experiments. Losing it costs time, never a result."""

from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from domains.simulators import Posterior
from meta_learner.belief import Belief, Diagnostics, History, Population
from meta_learner.criticism import Criticism
from meta_learner.policies.base import Choice
from meta_learner.rollout import BlockState

_FORMAT = "3"  # of the files: of an earlier one, the belief is folded anew


class BeliefCache:
    """One file a block, replaced as a whole, in ORGANON_HOME/cache/beliefs."""

    def __init__(self, home: Path, block_id: int, key: str) -> None:
        """key: what the belief depends on besides the block (domain, settings, versions); another key never loads."""
        self._path = home / "cache" / "beliefs" / f"block-{block_id}.safetensors"
        self._key = key

    def save(self, state: BlockState) -> None:
        """Keep the state; an unwritable disk costs the cache, not the run."""
        tensors = {
            name: value.cpu().clone().contiguous() for name, value in _flatten(state).items()
        }  # no two share memory
        partial = self._path.with_suffix(".partial")
        with suppress(OSError, SafetensorError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            save_file(tensors, partial, metadata=self._metadata(state.step))
            partial.replace(self._path)

    def load(self, step: int) -> BlockState | None:
        """The state after ``step`` experiments, if it is the one kept."""
        try:
            with safe_open(self._path, framework="pt") as file:
                if file.metadata() != self._metadata(step):
                    return None
                here = torch.get_default_device()
                return _rebuild({name: file.get_tensor(name).to(here) for name in file.keys()})  # noqa: SIM118
        except (OSError, SafetensorError):
            return None

    def _metadata(self, step: int) -> dict[str, str]:
        return {"step": str(step), "key": self._key, "format": _FORMAT}

    def drop(self) -> None:
        """Forget the block."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _flatten(state: BlockState) -> dict[str, Tensor]:
    belief = state.belief
    tensors = {"spent": state.spent, "ended": state.ended, "log_prior": belief.log_prior}
    parts: dict[str, Any] = {
        "history": belief.history,
        "diagnostics": belief.diagnostics,
        "criticism": belief.criticism,
    }
    for prefix, value in parts.items():
        tensors |= {f"{prefix}.{field.name}": getattr(value, field.name) for field in fields(value)}
    if belief.posterior is not None:
        tensors |= {f"posterior.{field.name}": getattr(belief.posterior, field.name) for field in fields(Posterior)}
    for index, population in enumerate(belief.populations):
        tensors |= {f"{index}.{field.name}": getattr(population, field.name) for field in fields(population)}
    for index, choice in enumerate(state.pending):
        tensors |= {f"pending.{index}.{field.name}": getattr(choice, field.name) for field in fields(choice)}
    return tensors


def _rebuild(tensors: dict[str, Tensor]) -> BlockState:
    def part(prefix: str) -> dict[str, Tensor]:
        start = f"{prefix}."
        return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}

    count = sum(name.endswith(".log_scale") for name in tensors)
    posterior = Posterior(**part("posterior")) if "posterior.log_evidence" in tensors else None
    populations = tuple(Population(**part(str(index))) for index in range(count))
    history, diagnostics = History(**part("history")), Diagnostics(**part("diagnostics"))
    criticism = Criticism(**part("criticism"))
    belief = Belief(populations, tensors["log_prior"], history, diagnostics, criticism, posterior)
    ended = tensors["ended"]
    left = sum(name.startswith("pending.") and name.endswith(".designs") for name in tensors)
    pending = tuple(Choice(**part(f"pending.{index}")) for index in range(left))
    nobody = torch.zeros_like(ended, dtype=torch.bool)
    return BlockState(belief, tensors["spent"], ended, performed=nobody, pending=pending)

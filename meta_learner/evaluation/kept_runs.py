"""Judged runs kept in a folder, a file a block: what was interrupted goes on, and invocations add up to one report.

Every file says what its runs depend on: the setting of all (policy, seed, belief, size of blocks, code) and the
identity of its domain. A folder that holds runs of another setting is refused with the difference, never mixed.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from domains.document import Domain
from domains.errors import DomainError
from domains.loading import find
from meta_learner.belief import BeliefSettings
from meta_learner.evaluation.calibration import JudgedPart, JudgedRun, Part

_FORMAT = 1
_SUFFIX = ".safetensors"
_ROOT = Path(__file__).resolve().parents[2]
_JUDGES = ("calibration.py", "investigated.py")  # of evaluation, the files that decide what a run gives
_ELSEWHERE = ("agents", "evaluation", "peers")  # folders of meta_learner of which runs know nothing, else


@dataclass(frozen=True)
class Setting:
    """What all runs of a folder depend on, besides their domains."""

    policy: str
    seed: int
    particles: int
    moves: int
    threshold: float
    block_runs: int
    code: str

    @classmethod
    def of(cls, policy: str, seed: int, settings: BeliefSettings, block_runs: int) -> "Setting":
        """That of this code."""
        return cls(policy, seed, settings.particles, settings.moves, settings.threshold, block_runs, code_identity())

    @property
    def belief(self) -> BeliefSettings:
        return BeliefSettings(particles=self.particles, moves=self.moves, threshold=self.threshold)


@lru_cache(maxsize=1)
def code_identity() -> str:
    """A hash of all sources that decide what a run gives, and of torch's version: commits that change only reports,
    pages or commands share it, and changes that are not committed count."""
    hashed = hashlib.sha256(torch.__version__.encode())
    for path in sorted([*(_ROOT / "domains").rglob("*.py"), *(_ROOT / "meta_learner").rglob("*.py")]):
        inside = path.relative_to(_ROOT)
        if not (inside.parts[1] in _ELSEWHERE and path.name not in _JUDGES):
            hashed.update(f"\n{inside.as_posix()}\n".encode() + path.read_bytes())
    return hashed.hexdigest()[:12]


class KeptRuns:
    """The folder. Files are written whole, each by one process, so that several may work on one folder."""

    def __init__(self, folder: Path, setting: Setting, domains: Sequence[str]) -> None:
        """domains: names or paths of those asked for. DomainError where the folder's runs are not of this setting."""
        self._folder, self._setting = folder, setting
        self._domains = {name: find(name) for name in domains}
        folder.mkdir(parents=True, exist_ok=True)
        self._check()

    def load(self, part: Part) -> JudgedPart | None:
        """The part as it was kept, if it was."""
        path = self._path(part)
        if not path.exists():
            return None
        with _opened(path) as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = _about(path, file.metadata())
        return JudgedPart(part, _rebuild(about, arrays), about["seconds"])

    def save(self, judged: JudgedPart) -> None:
        """Keep a part, all of it or nothing."""
        path = self._path(judged.part)
        names = {str(run.truth): run.names for run in judged.runs}
        domain = self._domains[judged.part.domain]
        about = {**self._key(domain), "seconds": judged.seconds, "names": names}
        draft = path.with_suffix(".partial")
        save_file(_flatten(judged.runs), draft, metadata={"about": json.dumps(about)})
        draft.replace(path)

    def parts(self) -> list[Part]:
        """Everything kept of the domains asked for. Of parts that are the same block of a domain, and so share their
        draws, the largest."""
        largest: dict[tuple[str, int], Part] = {}
        for name, domain in self._domains.items():
            for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
                found = re.fullmatch(rf"{re.escape(domain.name)}-block-(\d+)-of-(\d+)", path.stem)
                if found is not None:
                    part = Part(name, int(found[1]), int(found[2]))
                    other = largest.get((name, part.block))
                    largest[name, part.block] = part if other is None or other.runs < part.runs else other
        return [largest[key] for key in sorted(largest, key=lambda key: (list(self._domains).index(key[0]), key[1]))]

    def _path(self, part: Part) -> Path:
        return self._folder / f"{self._domains[part.domain].name}-block-{part.block:04d}-of-{part.runs}{_SUFFIX}"

    def _key(self, domain: Domain) -> dict[str, Any]:
        return {"format": _FORMAT, **vars(self._setting), "domain": domain.name, "identity": domain.identity}

    def _check(self) -> None:
        """DomainError at the first file that another setting, or another document of a domain asked for, has made."""
        asked = {domain.name: domain for domain in self._domains.values()}
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            with _opened(path) as file:
                about = _about(path, file.metadata())
            wanted = {"format": _FORMAT, **vars(self._setting)}
            if about.get("domain") in asked:
                wanted = self._key(asked[about["domain"]])
            for name, value in wanted.items():
                if about.get(name) != value:
                    raise DomainError(
                        f"{path}: its runs have {name} {about.get(name)}, and {value} is asked for; they cannot be in "
                        "one report: name another folder, or delete the files"
                    )


def _opened(path: Path) -> Any:
    try:
        return safe_open(path, framework="numpy")
    except (OSError, SafetensorError) as error:
        raise DomainError(f"{path} cannot be read as kept runs ({error}); delete it") from error


def _about(path: Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    if "about" not in (metadata or {}):
        raise DomainError(f"{path} is no file of kept runs; name a folder for them alone")
    assert metadata is not None
    found: dict[str, Any] = json.loads(metadata["about"])
    return found


def _flatten(runs: Sequence[JudgedRun]) -> dict[str, NDArray[Any]]:
    """One array a field; ranks, whose columns are the true law's parameters, one a law."""
    arrays: dict[str, NDArray[Any]] = {
        "truth": numpy.array([run.truth for run in runs]),
        "probability": numpy.stack([run.probability for run in runs]),
        "surprised": numpy.array([run.surprised for run in runs]),
        "trusted": numpy.array([run.trusted for run in runs]),
    }
    for law in _laws(arrays["truth"]):
        having = [run for run in runs if run.truth == law]
        for field in ("continuous", "rank", "others"):
            arrays[f"{field}.{law}"] = numpy.ascontiguousarray(numpy.stack([getattr(run, field) for run in having]))
    return arrays


def _rebuild(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> list[JudgedRun]:
    seen = dict.fromkeys(_laws(arrays["truth"]), 0)
    runs = []
    for run, law in enumerate(arrays["truth"].tolist()):
        row = seen[law]
        seen[law] += 1
        runs.append(
            JudgedRun(
                domain=about["domain"],
                truth=law,
                probability=arrays["probability"][run],
                names=tuple(about["names"][str(law)]),
                continuous=arrays[f"continuous.{law}"][row],
                rank=arrays[f"rank.{law}"][row],
                others=arrays[f"others.{law}"][row],
                surprised=bool(arrays["surprised"][run]),
                trusted=bool(arrays["trusted"][run]),
            )
        )
    return runs


def _laws(truth: NDArray[Any]) -> Iterable[int]:
    laws: list[int] = numpy.unique(truth).tolist()
    return laws

"""Report: does the agent recover the truth? Simulated runs of every catalogue domain at its own budget.

Per domain: how often the true law is the most probable one, beside what the beliefs themselves expect of that (the mean
of their largest probability); how often the 90 % intervals of continuous parameters hold the truth, of the runs that
found the true law; the goal's own score; alarms. A calibrated belief is right as often as it says: ``identified`` is
flagged where it differs from that at α = 1e-4 (normal approximation of a Poisson binomial), ``coverage`` where a
parameter's count is outside a binomial(0.9) at α = 1e-4, shared among the parameters (Bonferroni).

    python -m tests.benchmarks.identification [DOMAIN …] [--runs 20] [--policy …] [--out FILE.json]
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from scipy import stats

from domains import catalogue
from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.evaluation.investigated import continuous_parameters, investigate
from meta_learner.goals import score
from meta_learner.policies import POLICIES
from meta_learner.rollout import BlockState
from meta_learner.summary import marginals

ALPHA = 1e-4


@dataclass
class Row:
    """One domain's line. covered: parameter → (intervals that held the truth, intervals); flags: what an exact belief
    would not have given."""

    domain: str
    goal: str
    laws: int
    runs: int
    identified: int
    expected: float
    covered: dict[str, tuple[int, int]]
    score: float | None
    score_se: float | None
    alarms: int
    untrusted: int
    decision_seconds: float
    seconds: float
    flags: list[str]

    @property
    def coverage(self) -> float | None:
        held, count = (sum(column) for column in zip(*self.covered.values(), strict=True)) if self.covered else (0, 0)
        return held / count if count else None


@dataclass
class _Runs:
    """What is known of each run at its end, over all blocks."""

    right: list[bool]
    top: list[float]
    covered: dict[str, list[bool]]
    scores: list[float]
    alarms: int = 0
    untrusted: int = 0
    decisions: int = 0
    deciding: float = 0.0


def measure(name: str, *, runs: int, policy: str, seed: int, block: int) -> Row:
    """Investigate ``runs`` worlds of a domain, in blocks."""
    torch.set_num_threads(1)
    started = time.perf_counter()
    model = DomainModel(find(name))
    tally = _Runs([], [], {}, [])
    for index, first in enumerate(range(0, runs, block)):
        _investigate(model, tally, policy=policy, seed=seed, block=index, runs=min(block, runs - first))
    row = Row(
        domain=name,
        goal=model.domain.goal.kind,
        laws=len(model.mechanisms),
        runs=runs,
        identified=sum(tally.right),
        expected=sum(tally.top),
        covered={name: (sum(held), len(held)) for name, held in tally.covered.items()},
        score=_mean(tally.scores),
        score_se=_standard_error(tally.scores),
        alarms=tally.alarms,
        untrusted=tally.untrusted,
        decision_seconds=tally.deciding / max(1, tally.decisions),
        seconds=time.perf_counter() - started,
        flags=[],
    )
    row.flags = list(_flags(row, tally))
    return row


def _investigate(model: DomainModel, tally: _Runs, *, policy: str, seed: int, block: int, runs: int) -> None:
    done = investigate(model, policy, runs=runs, seed=seed, block=block)
    steps, worlds, state = done.steps, done.worlds, done.state
    tally.deciding += done.deciding
    tally.decisions += done.decisions
    top, best = state.belief.log_probability.exp().max(-1)
    right = best == worlds.mechanism
    tally.right += right.tolist()
    tally.top += top.tolist()
    tally.alarms += int(state.belief.surprised.sum())
    tally.untrusted += int((~state.belief.trusted).sum())
    for name, held in _held(model, state, worlds.parameters, best, right):
        tally.covered.setdefault(name, []).append(held)
    scores = score(model, worlds, steps.answer(state))
    if scores is not None:
        tally.scores += scores.tolist()


def _held(
    model: DomainModel,
    state: BlockState,
    truths: tuple[dict[str, torch.Tensor], ...],
    best: torch.Tensor,
    right: torch.Tensor,
) -> Iterator[tuple[str, bool]]:
    """Per run that found its law and continuous parameter: whether the 90 % interval holds the truth."""
    continuous = continuous_parameters(model.domain)
    for law in best[right].unique().tolist():
        found = marginals(model, state.belief, law)
        for run in (right & (best == law)).nonzero()[:, 0].tolist():
            for name, marginal in found.items():
                if name in continuous:
                    truth = truths[law][name][run]
                    yield name, bool(marginal.low90[run] <= truth <= marginal.high90[run])


def _flags(row: Row, tally: _Runs) -> Iterator[str]:
    spread = sum(top * (1 - top) for top in tally.top) ** 0.5
    if abs(row.identified - row.expected) > stats.norm.isf(ALPHA / 2) * spread + 1:
        yield f"identified {row.identified}, expected {row.expected:.1f} ± {spread:.1f}"
    for name, (held, count) in row.covered.items():
        p = stats.binomtest(held, count, 0.9).pvalue
        if p < ALPHA / len(row.covered):
            yield f"coverage of {name}: {held} of {count}"
    if row.laws > 1 and row.identified < 0.6 * row.runs:
        yield f"identified in {row.identified} of {row.runs}, fewer than 60 %"


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _standard_error(values: list[float]) -> float | None:
    return torch.tensor(values, dtype=torch.float64).std().item() / len(values) ** 0.5 if len(values) > 1 else None


def _line(row: Row) -> str:
    coverage = "" if row.coverage is None else f"{row.coverage:.2f}"
    goal = "" if row.score is None else f"{row.score:.3g} ± {row.score_se or 0:.1g}"
    cells = (
        f"{row.domain:<24}{row.laws:>5}{row.runs:>5}  {row.identified / row.runs:>6.2f}{row.expected / row.runs:>8.2f}"
        f"{coverage:>9}  {goal:<16}{row.alarms:>4}{row.untrusted:>5}{1000 * row.decision_seconds:>8.0f}"
        f"{row.seconds:>8.0f}  {'; '.join(row.flags)}"
    )
    return cells.rstrip()


_HEADING = (
    f"{'domain':<24}{'laws':>5}{'runs':>5}  {'found':>6}{'belief':>8}{'cover90':>9}  {'goal score':<16}"
    f"{'alrm':>4}{'untr':>5}{'ms/dec':>8}{'seconds':>8}  flags"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("domains", nargs="*")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--policy", default="expected-information-gain", choices=sorted(POLICIES))
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--block", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    names = options.domains or list(catalogue.names())
    sys.stdout.write(_HEADING + "\n")
    rows = []
    with ProcessPoolExecutor(options.processes) as pool:
        settings = {"runs": options.runs, "policy": options.policy, "seed": options.seed, "block": options.block}
        for future in [pool.submit(measure, name, **settings) for name in names]:
            rows.append(future.result())
            sys.stdout.write(_line(rows[-1]) + "\n")
            sys.stdout.flush()
    if options.out is not None:
        about = {"commit": _commit(), "machine": platform.machine(), "torch": version("torch"), **settings}
        options.out.write_text(json.dumps({**about, "rows": [asdict(row) for row in rows]}, indent=1) + "\n")


def _commit() -> str:
    return subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    main()

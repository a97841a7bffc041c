"""Report: how long does a decision take? Expected information gain, the search for designs included, on one core.

Per domain: one run alone, and 64 runs as one batch, after 15 experiments (or half the budget): the median
over decisions of CPU time a run, and that of the update that follows.

    python -m tests.benchmarks.decisions [DOMAIN …] [--repeats 15] [--out FILE.json]
"""

import argparse
import time
from pathlib import Path
from statistics import median

import torch

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.evaluation import results
from meta_learner.laboratory import Simulation
from meta_learner.policies import ExpectedInformationGain
from meta_learner.rollout import BlockState, BlockSteps

DOMAINS = (
    "source-location", "source-location-unit", "ces", "hyperbolic-discounting", "death-process", "pharmacokinetics",
    "enzyme-kinetics", "dose-finding", "structural-causal",
)  # fmt: skip
BATCHES = (1, 64)
COLUMNS = ["domain", "after experiments", "runs together", "ms a decision", "ms an update"]


def at_work(name: str, runs: int, seed: int) -> tuple[BlockSteps, BlockState]:
    """A block of runs in the middle of its work."""
    model = DomainModel(find(name))
    laboratory = Simulation(model, seed=seed, block=0, runs=runs)
    steps = BlockSteps(model, ExpectedInformationGain(), laboratory, budget=model.domain.budget, seed=seed, block=0)
    state = steps.begin(runs)
    while state.step < min(15, int(model.domain.budget) // 2):
        state = steps.turn(state)
    return steps, state


def timed(name: str, runs: int, repeats: int) -> list[object]:
    """One row: medians over repeats, each another world where one run stands alone."""
    deciding, updating, step = [], [], 0
    for repeat in range(repeats if runs == 1 else 1):
        steps, state = at_work(name, runs, repeat)
        step = state.step
        for _ in range(1 if runs == 1 else max(3, repeats // 5)):
            started = time.thread_time()
            chosen = steps.design(steps.hypothesise(state))
            decided = time.thread_time()
            steps.update(steps.experiment(chosen))
            deciding.append(1000 * (decided - started) / runs)
            updating.append(1000 * (time.thread_time() - decided) / runs)
    return [name, step, runs, f"{median(deciding):.1f}", f"{median(updating):.1f}"]


def main() -> None:
    """Print the rows, or write them to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("domains", nargs="*", default=list(DOMAINS))
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in given.domains:
        for runs in BATCHES:
            rows.append(timed(name, runs, given.repeats))
            print(*rows[-1], sep="  ", flush=True)
    if given.out is not None:
        title = "How long does a decision take?"
        note = "Medians of CPU time a run: expected-information-gain, 2,000 particles, the search for designs included."
        document = {"kind": "decisions", "title": title, "columns": COLUMNS, "rows": rows, "note": note}
        results.save(given.out, {**document, **results.provenance()})


if __name__ == "__main__":
    main()

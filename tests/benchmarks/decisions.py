"""Report: how long does a decision take? Expected information gain, the search for designs included, on one core.

Per domain: one run alone, and 64 runs as one batch, after 15 experiments (or half the budget): the median
over decisions of CPU time a run, and that of the update that follows.

    python -m tests.benchmarks.decisions [DOMAIN …] [--repeats 15] [--out FILE.json]
"""

import time
from statistics import median

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.evaluation.investigated import simulated_block
from meta_learner.policies import ExpectedInformationGain
from meta_learner.rollout import BlockState, BlockSteps
from tests.benchmarks.report import report_by_domain, save

DOMAINS = (
    "source-location", "source-location-unit", "ces", "hyperbolic-discounting", "death-process", "pharmacokinetics",
    "enzyme-kinetics", "dose-finding", "structural-causal",
)  # fmt: skip
BATCHES = (1, 64)
COLUMNS = ["domain", "after experiments", "runs together", "ms a decision", "ms an update"]


def at_work(name: str, runs: int, seed: int) -> tuple[BlockSteps, BlockState]:
    """A block of runs in the middle of its work."""
    model = DomainModel(find(name))
    steps, _ = simulated_block(model, ExpectedInformationGain(), runs=runs, seed=seed)
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
    given, rows = report_by_domain(
        __doc__, DOMAINS, 15, lambda name, repeats: (timed(name, runs, repeats) for runs in BATCHES)
    )
    title = "How long does a decision take?"
    note = "Medians of CPU time a run: expected-information-gain, 2,000 particles, the search for designs included."
    save(given.out, {"kind": "decisions", "title": title, "columns": COLUMNS, "rows": rows, "note": note})


if __name__ == "__main__":
    main()

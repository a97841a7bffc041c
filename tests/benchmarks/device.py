"""Report: how long do updates and decisions take on a device? CPU beside CUDA, for 1, 64 and 1,024 runs together.

    python -m tests.benchmarks.device [DOMAIN …] [--device NAME] [--runs 1 …] [--repeats 3] [--out FILE.json]

Elapsed seconds of a whole block, medians over repeats of the second experiment; the CPU has as many threads as torch
takes. --device: repeatable; else the CPU, and CUDA where there is one.
"""

import time
from collections.abc import Iterator
from statistics import median

import torch

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.evaluation.investigated import simulated_block
from meta_learner.policies import ExpectedInformationGain
from meta_learner.rollout import BlockState, BlockSteps
from orchestrator.device import placed
from tests.benchmarks.report import Row, parser, save, told

DOMAINS = ("source-location-unit", "hyperbolic-discounting", "death-process")
RUNS = (1, 64, 1024)
COLUMNS = ["domain", "device", "runs together", "s a decision", "s an update"]


def now(device: str) -> float:
    """The time once all that was asked of the device is done."""
    if device != "cpu":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def timed(name: str, device: str, runs: int, repeats: int) -> Row:
    """One row; the first experiment of the block is for warming up."""
    with placed(device):
        steps, _ = simulated_block(DomainModel(find(name)), ExpectedInformationGain(), runs=runs, seed=0)
        state = steps.turn(steps.begin(runs))
        seconds = [_once(steps, state, device) for _ in range(repeats)]
    deciding, updating = (median(times) for times in zip(*seconds, strict=True))
    return [name, device, runs, f"{deciding:.3f}", f"{updating:.3f}"]


def _once(steps: BlockSteps, state: BlockState, device: str) -> tuple[float, float]:
    started = now(device)
    chosen = steps.design(steps.hypothesise(state))
    decided = now(device)
    done = steps.experiment(chosen)
    measured = now(device)
    steps.update(done)
    return decided - started, now(device) - measured


def main() -> None:
    """Print the rows, or write them to a file."""
    options = parser(__doc__)
    options.add_argument("domains", nargs="*", default=list(DOMAINS))
    options.add_argument("--device", action="append")
    options.add_argument("--runs", type=int, nargs="+", default=list(RUNS))
    options.add_argument("--repeats", type=int, default=3)
    given = options.parse_args()
    devices = given.device or ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]

    def every() -> Iterator[Row]:
        for name in given.domains:
            for runs in given.runs:
                yield from (timed(name, device, runs, given.repeats) for device in devices)

    rows = list(told(every()))
    title, note = "How long does a block take on a device?", "expected-information-gain, 2,000 particles; elapsed time."
    save(given.out, {"kind": "device", "title": title, "columns": COLUMNS, "rows": rows, "note": note})


if __name__ == "__main__":
    main()

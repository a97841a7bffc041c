"""Harness check: do our bounds reproduce published ones where the policy is as simple as can be?

Random designs on ``source-location-unit`` must give an sPCE of 5.17 ± 0.1 (published: ± 0.05), and designs drawn
from N(0, 1), not bounded, on ``source-location`` 8.30 ± 0.2 (published by Foster et al. 2021): L = 1e6, 500 runs. sPCE
needs no belief, so none is kept. ``--out`` writes a table for BENCHMARKS.md. (A quarter of an hour on one core.)

    python -m tests.benchmarks.harness_check [--runs 500] [--contrasts 1000000] [--processes 1] [--out FILE.json]
"""

import argparse
from pathlib import Path

import torch

from domains.loading import find
from meta_learner.evaluation import results
from meta_learner.evaluation.benchmark import Measured, Setup, measure
from meta_learner.policies.base import Choice, DesignProblem, Policy, unscored
from meta_learner.policies.random import Random


class NormalDesigns(Policy):
    """Designs from N(0, 1) in every column, whatever its range: the published random baseline. For this check only."""

    name = "random, N(0, 1)"

    def choose(self, problem: DesignProblem) -> Choice:
        columns = len(problem.model.space.names)
        return unscored(torch.randn((problem.runs, columns), generator=problem.generator, dtype=torch.float64))


CHECKS = (  # domain, policy, published, how far from it we may be
    ("source-location-unit", Random, 5.17, 0.1),
    ("source-location", NormalDesigns, 8.30, 0.2),
)


def check(domain: str, policy: Policy, *, runs: int, contrasts: int, processes: int) -> Measured:
    """One row."""
    setup = Setup(find(domain), policy, runs=runs, contrasts=contrasts, block_runs=100, blind=True)
    return measure(setup, processes=processes)


def main() -> None:
    """Print the rows, or write them to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--contrasts", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = []
    for domain, policy, published, margin in CHECKS:
        found = check(domain, policy(), runs=given.runs, contrasts=given.contrasts, processes=given.processes)
        lower, upper = found.spce, found.snmc
        within = "yes" if abs(lower.mean - published) <= margin else "no"
        row = [domain, found.policy, given.runs, f"{lower.mean:.3f} ± {lower.se:.3f}"]
        row += [f"{upper.mean:.3f} ± {upper.se:.3f}", f"{published} ± {margin}", within]
        print(*row, f"{found.playing_seconds + found.bounding_seconds:.0f} s", sep="  ", flush=True)
        rows.append(row)
    if given.out is not None:
        columns = ["domain", "policy", "runs", "sPCE", "sNMC", "published, and the margin", "within"]
        note = f"L = {given.contrasts:,}, T = 30; nats a run ± one standard error; no belief is kept."
        document = {"kind": "harness-check", "title": "Harness check: published random designs reproduced"}
        document |= {"columns": columns, "rows": rows, "note": note}
        results.save(given.out, {**document, **results.provenance(processes=given.processes)})


if __name__ == "__main__":
    main()

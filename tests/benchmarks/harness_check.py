"""Harness check: do our bounds reproduce published ones where the policy is as simple as can be?

Random designs on ``source-location-unit`` must give an sPCE of 5.17 ± 0.1 (published: ± 0.05), and designs drawn
from N(0, 1), not bounded, on ``source-location`` 8.30 ± 0.2 (published by Foster et al. 2021): L = 1e6, 500 runs. sPCE
needs no belief, so none is kept. ``--out`` writes a table for BENCHMARKS.md. (A quarter of an hour on one core.)

    python -m tests.benchmarks.harness_check [--runs 500] [--contrasts 1000000] [--processes 1] [--out FILE.json]
"""

import torch

from domains.loading import find
from meta_learner.evaluation.benchmark import Measured, Setup, measure
from meta_learner.policies.base import Choice, DesignProblem, Policy, unscored
from meta_learner.policies.random import Random
from tests.benchmarks.report import parser, save, told


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


def line(found: Measured, published: float, margin: float) -> list[object]:
    """A row of the table."""
    bounds = [f"{bound.mean:.3f} ± {bound.se:.3f}" for bound in (found.spce, found.snmc)]
    within = "yes" if abs(found.spce.mean - published) <= margin else "no"
    return [found.domain, found.policy, found.runs, *bounds, f"{published} ± {margin}", within]


def main() -> None:
    """Print the rows, or write them to a file."""
    options = parser(__doc__)
    options.add_argument("--runs", type=int, default=500)
    options.add_argument("--contrasts", type=int, default=1_000_000)
    options.add_argument("--processes", type=int, default=1)
    given = options.parse_args()
    work = {"runs": given.runs, "contrasts": given.contrasts, "processes": given.processes}
    rows = told(line(check(domain, policy(), **work), *known) for domain, policy, *known in CHECKS)
    columns = ["domain", "policy", "runs", "sPCE", "sNMC", "published, and the margin", "within"]
    note = f"L = {given.contrasts:,}, T = 30; nats a run ± one standard error; no belief is kept."
    table = {"kind": "harness-check", "title": "Harness check: published random designs reproduced"}
    save(given.out, {**table, "columns": columns, "rows": list(rows), "note": note}, processes=given.processes)


if __name__ == "__main__":
    main()

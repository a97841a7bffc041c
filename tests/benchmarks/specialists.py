"""Report: what the meta-RL families learn on one domain from the same number of simulated experiments.

Every family is trained from zero with the same recipe, then investigates worlds it has not seen, the same for all and
for policies that are not trained: sPCE (nats) ± one standard error, with the seconds of training and of a decision.

    python -m tests.benchmarks.specialists [DOMAIN] [--experiments 100000] [--runs 500] [--contrasts 10000] [--seed 0]
        [--families rl2 …] [--against random …] [--out FILE.json]
"""

import time
from collections.abc import Iterator

import torch

from domains.document import Domain
from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.evaluation.benchmark import BLIND, Measured, Setup, measure
from meta_learner.policies import POLICIES, Policy
from meta_learner.specialists import SPECIALISTS, Recipe, Specialised, Trainer, build, train
from tests.benchmarks.report import Row, parser, save, told

COLUMNS = ["policy", "experiments to train", "seconds to train", "sPCE, nats", "ms a decision"]
_WORLDS = 2026  # seed of the worlds that are investigated


def trained(domain: Domain, family: str, recipe: Recipe) -> tuple[Policy, int, float]:
    """A family's policy, the experiments simulated for it, and the CPU seconds that it took."""
    model, started = DomainModel(domain), time.process_time()
    trainer = Trainer(build(family, model, seed=recipe.seed), model, recipe)
    for _ in train(trainer):
        pass
    return Specialised(trainer.network), trainer.experiments, time.process_time() - started


def investigated(domain: Domain, policy: Policy, runs: int, contrasts: int) -> Measured:
    """The same worlds for every policy; no belief is kept for those that do not look at it."""
    blind = isinstance(policy, (*BLIND, Specialised))
    return measure(Setup(domain, policy, runs=runs, contrasts=contrasts, seed=_WORLDS, blind=blind))


def rows(
    domain: Domain, families: list[str], against: list[str], recipe: Recipe, sizes: tuple[int, int]
) -> Iterator[Row]:
    """A row a policy."""
    for name in against:
        yield _row(investigated(domain, POLICIES[name](), *sizes), 0, 0.0)
    for family in families:
        policy, experiments, seconds = trained(domain, family, recipe)
        yield _row(investigated(domain, policy, *sizes), experiments, seconds)


def _row(found: Measured, experiments: int, seconds: float) -> Row:
    spce = f"{found.spce.mean:.3f} ± {found.spce.se:.3f}"
    return [found.policy, experiments, f"{seconds:.0f}", spce, f"{1000 * found.decision_seconds:.2f}"]


def main() -> None:
    """Print the rows, or write them to a file."""
    options = parser(__doc__)
    options.add_argument("domain", nargs="?", default="death-process")
    options.add_argument("--experiments", type=int, default=100_000)
    options.add_argument("--runs", type=int, default=500)
    options.add_argument("--contrasts", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--families", nargs="*", default=list(SPECIALISTS))
    options.add_argument("--against", nargs="*", default=["random", "expected-information-gain"])
    given = options.parse_args()
    torch.set_num_threads(1)
    domain, recipe = find(given.domain), Recipe(experiments=given.experiments, seed=given.seed)
    found = list(told(rows(domain, given.families, given.against, recipe, (given.runs, given.contrasts))))
    note = (
        f"{domain.name}: {given.runs} worlds, the same for all, and {given.contrasts} contrasts; families trained with "
        f"seed {given.seed} and the recipe's defaults, for as many simulated experiments; ± one standard error."
    )
    title = f"What do specialists learn on {domain.name}?"
    save(given.out, {"kind": "specialists", "title": title, "columns": COLUMNS, "rows": found, "note": note})


if __name__ == "__main__":
    main()

"""Report: what does it cost to become certain of a law, in domains whose experiments do not cost alike?

Runs end as soon as one law has a probability of 0.95; where the budget runs out before, what was spent counts. Greedy
(expected information per cost) and the agent investigate the same worlds, with the same noise. Of domains whose goal is
another, the law is asked for here. Differences are paired, with 95 % intervals; law right: the share of runs whose most
probable law is the true one.

    python -m tests.benchmarks.certainty_in_domains [DOMAIN …] [--agent experimenter] [--runs 200] [--out FILE.json]
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy
import torch
from numpy.typing import NDArray

from domains.document import Goal
from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.agents.loading import load_policy
from meta_learner.agents.store import SHIPPED, Store, Stored
from meta_learner.evaluation.investigated import domain_seed, simulated_block
from meta_learner.policies import ExpectedInformationGain, Policy
from meta_learner.rollout import rollout
from meta_learner.stopping import Ended, StoppingRules
from tests.benchmarks.report import Row, parser, save, told

COLUMNS = [
    "domain", "runs", "greedy pays", "the agent less", "as a share", "certain (greedy, agent)", "law right",
]  # fmt: skip
DOMAINS = ("enzyme-inhibition", "fatigue-life", "gene-switch")
CERTAIN, _BLOCK = 0.95, 25
Array = NDArray[numpy.float64]


@dataclass(frozen=True)
class Paid:
    """By run: what was spent, whether it ended certain, whether the law was right."""

    spent: Array
    certain: Array
    right: Array


def paid(model: DomainModel, policy: Policy, runs: int, seed: int) -> Paid:
    """By a policy, over all blocks."""
    found = []
    for block, first in enumerate(range(0, runs, _BLOCK)):
        count = min(_BLOCK, runs - first)
        stop = StoppingRules(probability=CERTAIN)
        steps, worlds = simulated_block(model, policy, runs=count, seed=seed, block=block, stop=stop)
        *_, state = rollout(steps, count)
        right = state.belief.log_probability.argmax(-1) == worlds.mechanism
        found.append(torch.stack([state.spent, state.ended == Ended.ANSWERED, right]).numpy())
    return Paid(*numpy.concatenate(found, axis=1))


def row(agent: Stored, name: str, runs: int) -> Row:
    """One domain."""
    model = DomainModel(replace(find(name), goal=Goal("discriminate")))
    seed = domain_seed(name, 2026)
    greedy, mine = (
        paid(model, policy, runs, seed) for policy in (ExpectedInformationGain(), load_policy(agent, model))
    )
    less = greedy.spent - mine.spent
    margin = 1.96 * less.std(ddof=1) / math.sqrt(runs)
    mean = greedy.spent.mean()
    share = f"{100 * less.mean() / mean:.1f} ± {100 * margin / mean:.1f} %"
    pairs = (
        f"{100 * getattr(greedy, which).mean():.0f}, {100 * getattr(mine, which).mean():.0f} %"
        for which in ("certain", "right")
    )
    return [name, runs, f"{mean:.2f}", f"{less.mean():+.3f} ± {margin:.3f}", share, *pairs]


def rows(agent: Stored, domains: list[str], runs: int) -> Iterator[Row]:
    """A row a domain."""
    for name in domains:
        yield row(agent, name, runs)


def _options() -> argparse.ArgumentParser:
    options = parser(__doc__)
    options.add_argument("domains", nargs="*", default=list(DOMAINS))
    options.add_argument("--agent", default="experimenter")
    options.add_argument("--folder", type=Path, default=SHIPPED)
    options.add_argument("--runs", type=int, default=200)
    return options


def main() -> None:
    """Print the rows, or write them to a file."""
    given = _options().parse_args()
    torch.set_num_threads(1)
    agent = Store(given.folder).find(given.agent)
    found = list(told(rows(agent, given.domains, given.runs)))
    note = (
        f"The agent {agent.name} (weights {agent.card.weights.sha256[:12]}) and expected-information-gain until a law "
        f"has a probability of {CERTAIN}, or the budget is spent; 95 % intervals over runs, paired."
    )
    title = "What does it cost to be certain of a law, where costs differ?"
    save(given.out, {"kind": "certainty-in-domains", "title": title, "columns": COLUMNS, "rows": found, "note": note})


if __name__ == "__main__":
    main()

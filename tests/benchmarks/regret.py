"""Report: how far from a better teacher's choice are the experimenter and greedy, decision by decision?

States are those of ``meta_learner.training.decisions``, in random domains that were not trained on or in domains of the
catalogue. The teacher's hypotheses are drawn anew from the same belief, so that its errors are independent of both and
average out. Regret: what the best of 16 designs gains more than the one chosen, as a share of what the best gains, ±
one standard error over batches, a domain each, since the states of one domain are alike (domains are drawn from 80
seeds, so that some come twice and errors are a little too small); once with greedy's scores by
512 hypotheses, once by 64. Where only some parameters are to be learned, the agent is greedy, and they are left out.

    python -m tests.benchmarks.regret [DOMAIN …] [--agent experimenter] [--batches 150] [--out FILE.json]
"""

import argparse
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from domains import randomness
from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.agents.loading import load_network
from meta_learner.agents.store import SHIPPED, Store
from meta_learner.experimenter.network import Experimenter
from meta_learner.experimenter.policy import cautious
from meta_learner.training.decisions import Decisions, KnownDomains, RandomDomains
from tests.benchmarks.report import Row, parser, save, told

COLUMNS = ["domains", "goal", "greedy's scores by", "batches", "greedy's regret", "the agent's less greedy's"]
_STATES = 8  # of a batch
_UNSEEN = (480, 560)  # seeds of random domains; the shipped recipe trains on those below 400


def rows(network: Experimenter, name: str, task: Decisions, batches: int) -> Iterator[Row]:
    """A row a goal and number of hypotheses behind greedy's scores."""
    generator, found = randomness.generator(5), defaultdict[tuple[str, int], list[Tensor]](list)
    for _ in range(batches):
        model = task.model(generator)
        if model.domain.goal.parameters:
            continue
        for hypotheses, pair in _regrets(network, task, model, generator):
            found[model.domain.goal.kind, hypotheses].append(pair.mean(0))
    for (goal, hypotheses), parts in sorted(found.items()):
        mine, greedy = torch.stack(parts).unbind(-1)
        yield [name, goal, hypotheses, len(mine), _mean(greedy), _mean(mine - greedy)]


@torch.no_grad()
def _regrets(
    network: Experimenter, task: Decisions, model: DomainModel, generator: torch.Generator
) -> Iterator[tuple[int, Tensor]]:
    """Hypotheses behind greedy's scores, and the regrets of agent and greedy [states, 2]."""
    state = task.state(model, _STATES, generator)
    values = task.lesson(state, generator).values[:, 0]
    best = values.amax(-1, keepdim=True)
    for behind in (state.wide, state.few):
        table = task.seen(state, behind, generator)
        greedy = torch.where(table.allowed, table.gain, -torch.inf)
        chosen = torch.stack([cautious(network, table).argmax(-1), greedy.argmax(-1)], dim=-1)
        yield behind.mechanism.shape[1], best - values.gather(1, chosen)


def _mean(values: Tensor) -> str:
    return f"{values.mean():.4f} ± {values.std() / math.sqrt(len(values)):.4f}"


def _options() -> argparse.ArgumentParser:
    options = parser(__doc__)
    options.add_argument("domains", nargs="*")
    options.add_argument("--agent", default="experimenter")
    options.add_argument("--folder", type=Path, default=SHIPPED)
    options.add_argument("--batches", type=int, default=150)
    return options


def main() -> None:
    """Print the rows, or write them to a file."""
    given = _options().parse_args()
    torch.set_num_threads(1)
    agent = Store(given.folder).find(given.agent)
    network = load_network(agent).eval()
    assert isinstance(network, Experimenter)
    tasks: dict[str, Decisions] = {name: KnownDomains(known=(DomainModel(find(name)),)) for name in given.domains}
    tasks = tasks or {"random": RandomDomains(seeds=_UNSEEN)}
    found = [row for name, task in tasks.items() for row in told(rows(network, name, task, given.batches))]
    note = f"The agent {agent.name} (weights {agent.card.weights.sha256[:12]}). Regret: a share of the best gain."
    title = "Regret of single decisions by an independent teacher"
    save(given.out, {"kind": "regret", "title": title, "columns": COLUMNS, "rows": found, "note": note})


if __name__ == "__main__":
    main()

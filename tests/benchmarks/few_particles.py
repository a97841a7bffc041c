"""Report: what is lost when a policy sees few particles, and how much of it the experimenter wins back.

Greedy expected information gain looks at 512 hypotheses drawn from the belief. Cut to 64 (the belief keeps its 2,000
particles) it loses something; the experimenter, cut to the same 64, decides among the same finalists. Gains in the same
worlds, with the same noise, in each domain's own measure (``meta_learner.agents.comparison``); differences are paired,
± one standard error.

    python -m tests.benchmarks.few_particles [DOMAIN …] [--agent experimenter] [--runs 200] [--few 64] [--out FILE.json]
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy
import torch
from numpy.typing import NDArray

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.agents.comparison import Setting, measure_of, play
from meta_learner.agents.loading import load_policy
from meta_learner.agents.store import SHIPPED, Store, Stored
from meta_learner.policies import POLICIES, Policy
from tests.benchmarks.report import Row, parser, save, told

COLUMNS = ["domain", "measure", "runs", "greedy, 512", "lost by greedy with few", "won back by the experimenter"]
DOMAINS = ("pharmacokinetics", "death-process", "enzyme-kinetics", "dose-response", "consumption", "memory-decay")
Array = NDArray[numpy.float64]


def cut(policy: Policy, hypotheses: int) -> Policy:
    """The same policy, shown so many hypotheses."""
    policy.hypotheses = hypotheses
    return policy


def row(agent: Stored, name: str, runs: int, few: int) -> Row:
    """One domain."""
    setting = Setting(find(name), runs=runs)
    model = DomainModel(setting.domain)
    policies = [POLICIES[setting.against](), cut(POLICIES[setting.against](), few), cut(load_policy(agent, model), few)]
    full, lost, back = (_gains(model, policy, setting) for policy in policies)
    return [name, measure_of(setting.domain), runs, f"{full.mean():.3f}", _told(full - lost), _told(back - lost)]


def _gains(model: DomainModel, policy: Policy, setting: Setting) -> Array:
    blocks = range(len(setting.blocks))
    return numpy.concatenate([play(model, policy, setting, block).gain for block in blocks])


def _told(difference: Array) -> str:
    return f"{difference.mean():+.3f} ± {difference.std(ddof=1) / math.sqrt(len(difference)):.3f}"


def rows(agent: Stored, domains: list[str], runs: int, few: int) -> Iterator[Row]:
    """A row a domain."""
    for name in domains:
        yield row(agent, name, runs, few)


def main() -> None:
    """Print the rows, or write them to a file."""
    options = parser(__doc__)
    options.add_argument("domains", nargs="*", default=list(DOMAINS))
    options.add_argument("--agent", default="experimenter")
    options.add_argument("--folder", type=Path, default=SHIPPED)
    options.add_argument("--runs", type=int, default=200)
    options.add_argument("--few", type=int, default=64)
    given = options.parse_args()
    torch.set_num_threads(1)
    agent = Store(given.folder).find(given.agent)
    found = list(told(rows(agent, given.domains, given.runs, given.few)))
    note = (
        f"The agent {agent.name} (weights {agent.card.weights.sha256[:12]}); both policies with few see {given.few} "
        "hypotheses, the belief has 2,000 particles. Measures: sACE and law in nats, score a share. ± one standard "
        "error of paired differences."
    )
    title = f"What {given.few} hypotheses cost greedy, and what the experimenter wins back"
    save(given.out, {"kind": "few-particles", "title": title, "columns": COLUMNS, "rows": found, "note": note})


if __name__ == "__main__":
    main()

"""Report: how many particles and moves does a belief need? The Monte Carlo error of beliefs, by repeating them.

The same experiments are folded into many beliefs that differ only in their random draws. Their scatter is the Monte
Carlo error: of the log evidence (nats), of posterior means (in posterior standard deviations, the worst parameter) and
of the laws' probabilities (the worst law). A bias shows in the mean: the reference is the largest setting.

    python -m tests.benchmarks.particles [DOMAIN …] [--repeats 32] [--out FILE.json]
"""

import time

import torch
from torch import Tensor

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.belief import Belief, BeliefSettings, History, prior_belief
from meta_learner.smc import update
from meta_learner.streams import stream
from meta_learner.summary import marginals
from tests.benchmarks.report import report_by_domain, save

DOMAINS = ("source-location", "enzyme-kinetics", "theophylline", "ces", "hyperbolic-discounting", "memory-decay")
SETTINGS = ((250, 5), (500, 5), (1000, 5), (2000, 2), (2000, 5), (2000, 10), (4000, 5), (8000, 10))
COLUMNS = [
    "domain", "experiments", "particles", "moves", "log evidence: sd", "off", "posterior mean: worst sd", "off",
    "law probability: worst sd", "CPU ms an update",
]  # fmt: skip


def experiments(model: DomainModel, count: int, seed: int) -> History:
    """Random designs and what came back of one world: designs [1, count, columns], outcomes [1, count, outcomes]."""
    worlds = model.draw_worlds(1, stream(seed, 0, 0, "world"))
    designs = model.space.uniform(count, stream(seed, 0, 0, "design"))
    outcomes = [
        model.simulate(worlds, design[None], stream(seed, 0, step, "noise")) for step, design in enumerate(designs)
    ]
    return History(designs[None], torch.stack(outcomes, dim=1))


def repeated(model: DomainModel, history: History, settings: BeliefSettings, repeats: int) -> Belief:
    """As many beliefs as repeats, each with draws of its own, after the same experiments."""
    belief = prior_belief(model, repeats, settings, stream(1, 0, 0, "prior"))
    for step in range(history.steps):
        designs, outcomes = (part[:, step].expand(repeats, -1) for part in (history.designs, history.outcomes))
        belief = update(model, belief, designs, outcomes, settings=settings, generator=stream(1, 0, step, "update"))
    return belief


def means(model: DomainModel, belief: Belief) -> tuple[Tensor, Tensor]:
    """Of the most probable law: posterior means and standard deviations [repeats, parameters]."""
    law = int(belief.log_probability.mean(0).argmax())
    found = marginals(model, belief, law).values()
    return torch.stack([m.mean for m in found], dim=-1), torch.stack([m.sd for m in found], dim=-1)


def measure(name: str, repeats: int) -> list[list[object]]:
    """The rows of one domain."""
    model = DomainModel(find(name))
    history = experiments(model, min(20, int(model.domain.budget)), seed=11)
    found = []
    for particles, moves in SETTINGS:
        started = time.thread_time()
        belief = repeated(model, history, BeliefSettings(particles=particles, moves=moves), repeats)
        milliseconds = 1000 * (time.thread_time() - started) / (history.steps * repeats)
        found.append((particles, moves, belief, *means(model, belief), milliseconds))
    best = found[-1]
    rows: list[list[object]] = []
    for particles, moves, belief, mean, sd, milliseconds in found:
        scale = sd.mean(0).clamp_min(1e-300)
        evidence = belief.log_evidence
        errors = (
            evidence.std(),
            (evidence.mean() - best[2].log_evidence.mean()).abs(),
            (mean.std(0) / scale).max(),
            ((mean.mean(0) - best[3].mean(0)).abs() / scale).max(),
            belief.log_probability.exp().std(0).max(),
        )
        cells = [f"{error.item():.3f}" for error in errors]
        rows.append([name, history.steps, particles, moves, *cells, f"{milliseconds:.1f}"])
    return rows


def main() -> None:
    """Print the rows, or write them to a file."""
    given, rows = report_by_domain(__doc__, DOMAINS, 32, measure)
    title = "How many particles and moves does a belief need?"
    note = (
        f"{given.repeats} beliefs from the same experiments at random designs, with other draws. The default is "
        "2,000 particles and 5 moves. 'off' is the distance of the mean from that of the last row of a domain."
    )
    save(given.out, {"kind": "particles", "title": title, "columns": COLUMNS, "rows": rows, "note": note})


if __name__ == "__main__":
    main()

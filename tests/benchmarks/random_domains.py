"""Report: what random domains are made of, how fast they are made, and whether their questions are worth an experiment.

Run with: python -m tests.benchmarks.random_domains [N] [--science M] [--json]. The tables count N documents (default
2000); the science part draws hypotheses from the prior of the first M domains (default 100) that can be run.
"""

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import torch

from domains.document import Domain, Goal
from domains.errors import DocumentError
from domains.loading import dump, load_text
from domains.random_domains import Recipe, random_domain
from domains.random_domains.coverage import counts, words
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings, prior_belief
from meta_learner.hypotheses import draw_hypotheses
from meta_learner.information import expected_information, pose
from meta_learner.streams import stream
from orchestrator.checking import check_finite

CANDIDATES, HYPOTHESES, DRAWS = 64, 512, 128
APART = 0.05  # nats about the law that the best of the candidates is expected to give


@dataclass(frozen=True)
class Science:
    """One domain: expected information of one design about the hypothesis, the best and the mean of 64, and about the
    law alone, nats; the share of simulated values that are not finite; processor seconds to simulate and analyse it."""

    best: float
    mean: float
    law: float | None
    broken: float
    seconds: float


def document_tables(domains: list[Domain]) -> dict[str, dict[str, float]]:
    """Table → word or number → share of the domains that have it."""
    tables: dict[str, Counter[str]] = {}
    for domain in domains:
        for table, number in counts(domain).items():
            tables.setdefault(f"number of {table}", Counter())[str(number)] += 1
        for table, used in words(domain).items():
            tables.setdefault(table, Counter()).update(used)
    return {name: {key: table[key] / len(domains) for key in sorted(table)} for name, table in tables.items()}


def science(domain: Domain) -> Science:
    """Simulate a domain and ask what one experiment would tell."""
    started = time.process_time()
    model = DomainModel(replace(domain, goal=Goal("learn")))
    broken = max(law["broken"] for law in check_finite(domain, model)["mechanisms"])
    belief = prior_belief(model, 1, BeliefSettings(particles=1000), stream(0, 0, 0, "prior"))
    hypotheses = draw_hypotheses(model, belief, HYPOTHESES, stream(0, 0, 0, "hypothesise"))
    designs = model.space.sobol(CANDIDATES, stream(0, 0, 0, "design"))[None]
    gains, law = (
        expected_information(one, pose(one, hypotheses, DRAWS), designs, stream(0, 0, 0, "noise"))
        for one in (model, DomainModel(replace(domain, goal=Goal("discriminate"))))
    )
    about_law = law.max().item() if len(model.mechanisms) > 1 else None
    return Science(gains.max().item(), gains.mean().item(), about_law, broken, time.process_time() - started)


def runs(domain: Domain) -> bool:
    """Whether this version runs all parts of the format that a domain asks for."""
    try:
        return bool(load_text(dump(domain)))
    except DocumentError:
        return False


def identical_pairs(domain: Domain) -> bool:
    """Whether two laws of a domain are written alike."""
    laws = [str({k: v for k, v in law.items() if k != "weight"}) for law in domain.parsed["mechanisms"].values()]
    return any(a == b for a, b in combinations(laws, 2))


def timings(count: int, recipe: Recipe) -> tuple[list[Domain], list[float]]:
    domains, seconds = [], []
    for seed in range(count):
        started = time.process_time()
        domains.append(random_domain(seed, recipe))
        seconds.append(time.process_time() - started)
    return domains, seconds


def quantiles(values: list[float]) -> dict[str, float]:
    points = {"5 %": 0.05, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "95 %": 0.95, "most": 1.0}
    return {name: float(np.quantile(values, point)) for name, point in points.items()}


def report(count: int, sample: int) -> dict[str, Any]:
    domains, seconds = timings(count, Recipe())
    found = []
    for domain in filter(runs, domains):
        if len(found) == sample:
            break
        found.append(science(domain))
    told = [one.law for one in found if one.law is not None]
    return {
        "domains": count,
        "shares": document_tables(domains),
        "milliseconds (processor) to make one": {name: 1000 * value for name, value in quantiles(seconds).items()},
        "with two laws written alike": sum(map(identical_pairs, domains)) / count,
        "analysed": len(found),
        "nats, best of 64 designs, about the hypothesis": quantiles([one.best for one in found]),
        "nats, mean of 64 designs, about the hypothesis": quantiles([one.mean for one in found]),
        "nats, best of 64 designs, about the law": quantiles(told),
        f"rival laws told apart by more than {APART} nats": sum(law > APART for law in told) / max(len(told), 1),
        "domains with NaN or infinity": sum(one.broken > 0 for one in found) / len(found),
        "largest share of NaN or infinity": max(one.broken for one in found),
        "seconds (processor) to simulate and analyse": quantiles([one.seconds for one in found]),
        "each": [asdict(one) for one in found],
    }


def show(name: str, value: Any) -> None:
    if isinstance(value, Mapping):
        cells = [f"{key} {cell:.3g}" if isinstance(cell, float) else f"{key} {cell}" for key, cell in value.items()]
        print(f"{name}: {' · '.join(cells)}")
    elif not isinstance(value, list):
        print(f"{name}: {value if not isinstance(value, float) or math.isnan(value) else f'{value:.3g}'}")


def main() -> None:
    """Print the tables, or all of it as JSON."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=2000)
    parser.add_argument("--science", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = report(arguments.count, arguments.science)
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        if name == "shares":
            for table, shares in value.items():
                show(f"share of domains with {table}", {key: f"{share:.1%}" for key, share in shares.items()})
        else:
            show(name, value)


if __name__ == "__main__":
    main()

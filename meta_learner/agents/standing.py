"""Whether an agent is at least as good as greedy expected information gain, by the results on its card. Torch-free.

A domain's ratio is (agent's gain) ÷ (greedy's) in the same worlds, r = 1 + difference/greedy, with the error
s = standard error/greedy (that of a ratio of paired means where it is near 1). Results of one domain count by their
runs; domains count alike: R = mean r, S = √(Σ s²)/(number of domains). At least as good means

- R − 1.96 S ≥ 0.99 (the lower end of the 95 % interval),
- it serves every goal, for it will be given any domain,
- over at least 6 domains that it was not trained on, each of at least 100 runs, with one at least to learn, to
  discriminate, to predict and to optimise,
- none of them clearly worse: r + 1.96 s ≥ 0.95, or, where greedy gains nothing, an interval that reaches 0.

No results, no standing. A specialist has none: what any domain is given must take any domain.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from domains.document import GoalKind
from meta_learner.agents.card import GREEDY, Card, HeldOut

LEAST_RATIO, LEAST_OF_ONE = 0.99, 0.95
LEAST_DOMAINS, LEAST_RUNS = 6, 100
_Z = 1.96
_AIMS = {
    "learn": ("learn",),
    "discriminate": ("discriminate",),
    "predict": ("predict",),
    "optimise": ("maximise", "minimise"),
}


@dataclass(frozen=True)
class Ratio:
    """Of gains, with its standard error."""

    value: float
    error: float

    @property
    def low(self) -> float:
        return self.value - _Z * self.error

    @property
    def high(self) -> float:
        return self.value + _Z * self.error


@dataclass(frozen=True)
class OnDomain:
    """All held-out results on one domain; ratio: None where greedy gains nothing."""

    name: str
    goal: str
    runs: int
    ratio: Ratio | None
    high: float  # upper end of the 95 % interval of the difference

    @property
    def clearly_worse(self) -> bool:
        return self.high < 0 if self.ratio is None else self.ratio.high < LEAST_OF_ONE


def on_domains(card: Card) -> list[OnDomain]:
    """Results against greedy on the domains that it was not trained on."""
    seen = {document.identity for document in (*card.training.domains, *card.domains)}
    by_domain: dict[tuple[str, str], list[HeldOut]] = {}
    for result in card.held_out:
        if result.against == GREEDY and result.domain.identity not in seen:
            by_domain.setdefault((result.domain.identity, result.goal), []).append(result)
    return [_together(results) for results in by_domain.values()]


def pooled(domains: list[OnDomain]) -> Ratio | None:
    """The mean of the domains' ratios; None where there is none."""
    ratios = [domain.ratio for domain in domains if domain.ratio is not None]
    if not ratios:
        return None
    error = math.sqrt(sum(ratio.error**2 for ratio in ratios)) / len(ratios)
    return Ratio(sum(ratio.value for ratio in ratios) / len(ratios), error)


def shortfalls(card: Card) -> list[str]:
    """What the card lacks to show that the agent is at least as good as greedy, in words; empty if nothing."""
    return list(_shortfalls(card, on_domains(card)))


def _shortfalls(card: Card, domains: list[OnDomain]) -> Iterator[str]:
    if card.domains:
        yield f"it is a specialist, for {', '.join(document.name for document in card.domains)} alone"
    unserved = [goal for goal in get_args(GoalKind) if goal not in card.goals]
    if unserved:
        yield f"it does not serve the goals {', '.join(unserved)}"
    counted = [domain for domain in domains if domain.runs >= LEAST_RUNS and domain.ratio is not None]
    if len(counted) < LEAST_DOMAINS:
        yield (
            f"{len(counted)} domains that it was not trained on have {LEAST_RUNS} runs or more beside {GREEDY}, and "
            f"{LEAST_DOMAINS} are needed"
        )
    lacking = [aim for aim, goals in _AIMS.items() if not any(domain.goal in goals for domain in counted)]
    if lacking:
        yield f"no domain of these has the goal to {' or to '.join(lacking)}"
    ratio = pooled(counted)
    if ratio is not None and ratio.low < LEAST_RATIO:
        yield (
            f"it gains {ratio.value:.3f} of what {GREEDY} gains (95 %: {ratio.low:.3f} to {ratio.high:.3f}), and the "
            f"lower end is to be at least {LEAST_RATIO}"
        )
    for domain in domains:
        if domain.clearly_worse:
            yield f"it is clearly worse on {domain.name}"


def _together(results: list[HeldOut]) -> OnDomain:
    """Results of several seeds on one domain, by their runs."""
    runs = sum(result.runs for result in results)

    def mean(name: str) -> float:
        return float(sum(getattr(result, name) * result.runs for result in results) / runs)

    greedy, difference = mean("other_gain"), mean("difference")
    error = math.sqrt(sum((result.standard_error * result.runs) ** 2 for result in results)) / runs
    ratio = Ratio(1.0 + difference / greedy, error / greedy) if greedy > 0 else None
    first = results[0]
    return OnDomain(first.domain.name, first.goal, runs, ratio, difference + _Z * error)

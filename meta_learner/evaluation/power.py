"""How many experiments does a question need? Curves of what is known against the budget, from simulated campaigns.

Worlds are drawn from the domain, and each is investigated to the end of the largest budget. At every smaller budget b
the report tells what a run knew after its last experiment within b. That is what a run with the budget b would have
known, but for two things: its last experiments would have been chosen to fit into b, and a policy that looks ahead
would have planned for b. Nothing is extrapolated beyond the largest budget.

Every policy meets the same worlds and the same noise. Blocks of runs are fixed by the number of runs alone, so that
the report is the same, bit for bit, whatever the number of processes.
"""

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from domains.document import Domain
from domains.errors import DomainError
from domains.worlds import DomainModel
from meta_learner.evaluation.investigated import check_budget, continuous_parameters
from meta_learner.evaluation.power_curves import Numbers, PolicyPower, Target, summarise
from meta_learner.evaluation.power_runs import BlockOrder, budget_grid, joined, simulate
from meta_learner.evaluation.processes import Tell, silent, work
from meta_learner.evaluation.results import plain
from meta_learner.examination import ALLOWED_SHARE, draw_prior
from meta_learner.policies import POLICIES

_BLOCK = 25  # runs that are simulated as one batch
_LAW_DRAWS, _ALL_DRAWS, _LEAST_DRAWS = (
    2000,
    20_000,
    100,
)  # from the prior, to see that laws simulate: each law, all, each


@dataclass(frozen=True)
class Study:
    """What a power report is to tell.

    budget: the largest to look at, None: the domain's. A target is answered by the smallest budget that meets it in a
    share ``assurance`` of the worlds: the true law has at least ``probability``; a parameter's 90 % interval is
    narrower than its entry in ``widths``; the goal's score is at most ``score``.
    """

    policies: tuple[str, ...] = ("expected-information-gain",)
    budget: float | None = None
    runs: int = 100
    seed: int = 0
    particles: int = 2000
    processes: int = 1
    assurance: float = 0.8
    probability: float = 0.95
    widths: Mapping[str, float] = field(default_factory=dict)
    score: float | None = None


@dataclass(frozen=True)
class PowerReport:
    """The answers. unequal: whether experiments differ in cost; else a budget is a number of experiments."""

    domain: str
    identity: str
    title: str
    goal: str
    laws: int
    runs: int
    seed: int
    particles: int
    assurance: float
    unequal: bool
    budgets: Numbers
    policies: tuple[PolicyPower, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON; what is not finite is None."""
        content = plain(asdict(self))
        assert isinstance(content, dict)
        return content


def power(domain: Domain, study: Study | None = None, progress: Tell = silent) -> PowerReport:
    """The power report of a domain; DomainError where what is asked for cannot be.

    >>> from domains.loading import find
    >>> report = power(find("enzyme-kinetics"), Study(runs=50, widths={"km": 0.05}))
    >>> report.policies[0].needs[0].budget
    """
    study = study or Study()
    model = DomainModel(domain)
    check(model, study)
    budgets = budget_grid(model, domain.budget if study.budget is None else study.budget)
    orders = list(_orders(domain, study, budgets))
    results = work(simulate, orders, study.processes, progress)
    targets = tuple(_targets(domain, study))
    return PowerReport(
        domain=domain.name,
        identity=domain.identity,
        title=domain.title,
        goal=domain.goal.kind,
        laws=len(domain.mechanisms),
        runs=study.runs,
        seed=study.seed,
        particles=study.particles,
        assurance=study.assurance,
        unequal=domain.cost is not None,
        budgets=budgets,
        policies=tuple(
            summarise(
                domain,
                policy,
                joined([done for order, done in zip(orders, results, strict=True) if order.policy == policy]),
                budgets,
                targets=targets,
                assurance=study.assurance,
            )
            for policy in dict.fromkeys(study.policies)
        ),
    )


def check(model: DomainModel, study: Study) -> None:
    """DomainError, with the way out, where a study cannot be made of this domain."""
    domain = model.domain
    for wrong in _faults(domain, study):
        raise DomainError(wrong)
    check_budget(model, domain.budget if study.budget is None else study.budget)
    draws = max(_LEAST_DRAWS, min(_LAW_DRAWS, _ALL_DRAWS // len(model.mechanisms)))
    for index, law in enumerate(model.mechanisms):
        broken = draw_prior(model, index, draws).broken_share
        if broken > ALLOWED_SHARE:
            raise DomainError(
                f"the law {law.name!r} gives values that are not finite for {broken:.1%} of the prior and cannot be "
                f"simulated; organon domain check {domain.file or domain.name} says where"
            )


def _faults(domain: Domain, study: Study) -> Iterator[str]:
    for policy in study.policies:
        if policy not in POLICIES:
            yield f"policy: there is no {policy!r}; {_near(policy, list(POLICIES))}they are {', '.join(POLICIES)}"
    if not study.policies:
        yield f"policy: name one or more of {', '.join(POLICIES)}"
    yield from _bad_numbers(study)
    names = continuous_parameters(domain)
    for name, width in study.widths.items():
        if name not in names:
            hint = f"{_near(name, list(names))}those of {domain.name} are {', '.join(names) or 'none'}"
            yield f"width {name}: there is no continuous parameter {name!r}; {hint}"
        elif not 0 < width < math.inf:
            yield f"width {name}={width:g}: the width of an interval is a finite number above 0"
    if study.score is not None and domain.goal.kind not in ("predict", "maximise", "minimise"):
        yield f"score: the goal of {domain.name}, {domain.goal.kind}, has no score of its own; leave it out"


def _bad_numbers(study: Study) -> Iterator[str]:
    for name, least, most in (
        ("runs", 2, 100_000), ("seed", 0, 2**63 - 1), ("particles", 50, 1_000_000), ("processes", 1, 1024),
    ):  # fmt: skip
        if not least <= getattr(study, name) <= most:
            yield f"{name} {getattr(study, name)}: it must be a whole number from {least} to {most}"
    for name in ("assurance", "probability"):
        if not 0 < getattr(study, name) < 1:
            yield f"{name} {getattr(study, name):g}: it must lie between 0 and 1, such as {getattr(Study, name):g}"
    for name, value in (("budget", study.budget), ("score", study.score)):
        if value is not None and not 0 < value < math.inf:
            yield f"{name} {value:g}: it must be a finite number above 0"


def _near(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, 1, 0.4)
    return f"did you mean {near[0]!r}? " if near else ""


def _targets(domain: Domain, study: Study) -> Iterator[Target]:
    if len(domain.mechanisms) > 1:
        yield Target("law", study.probability)
    yield from (Target("width", width, name) for name, width in study.widths.items())
    if study.score is not None:
        yield Target("score", study.score)


def _orders(domain: Domain, study: Study, budgets: Numbers) -> Iterator[BlockOrder]:
    for policy in dict.fromkeys(study.policies):
        for block, first in enumerate(range(0, study.runs, _BLOCK)):
            runs = min(_BLOCK, study.runs - first)
            yield BlockOrder(domain, policy, budgets, study.seed, block, runs, study.particles)

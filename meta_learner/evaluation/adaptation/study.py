"""A study of adaptation: which agents, in which domains, at which levels of shift; and all of its runs.

Beside the agents asked for, each group of worlds is investigated by the random policy (which sets the score 0), by
greedy expected information gain at twice the budget (which sets the score 1), and by the baseline of comparisons.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from domains.document import Domain
from domains.errors import DomainError
from domains.worlds import DomainModel
from meta_learner.evaluation.adaptation.curves import Curves, Make, Order, joined, simulate
from meta_learner.evaluation.adaptation.shift import SHIFTS, Shift, check_shift
from meta_learner.evaluation.investigated import check_budget, domain_seed
from meta_learner.evaluation.power_runs import budget_grid
from meta_learner.evaluation.processes import Tell, silent, work
from meta_learner.policies import POLICIES

RANDOM, GREEDY = "random", "expected-information-gain"
TWICE = 2.0

_REFERENCE = "greedy at twice the budget"
_BLOCK = 25  # runs that are simulated as one batch


@dataclass(frozen=True)
class Study:
    """What is measured, and how.

    policies: name → what makes the agent, those of the registry or learned ones. budget: of each domain, None: its own.
    reference: the budget of the greedy policy that sets the score 1, a multiple of that. contrasts: L of sPCE, for goal
    learn. shifted_by: prior standard deviations between shifted worlds and the document.
    training: agent → experiments that its training took, for break-even. resamples: of the bootstrap.
    """

    policies: Mapping[str, Make]
    baseline: str = GREEDY
    runs: int = 100
    budget: float | None = None
    seed: int = 0
    particles: int = 2000
    contrasts: int = 10_000
    reference: float = TWICE
    shifted_by: float = 1.0
    resamples: int = 2000
    processes: int = 1
    training: Mapping[str, float] = field(default_factory=dict)

    @property
    def agents(self) -> dict[str, Make]:
        """Everyone who investigates at the budget, those asked for first."""
        needed = [name for name in (self.baseline, RANDOM) if name in POLICIES and name not in self.policies]
        return {**self.policies, **{name: POLICIES[name] for name in needed}}

    def spends(self, domain: Domain) -> float:
        return domain.budget if self.budget is None else self.budget


@dataclass(frozen=True)
class Group:
    """A domain at a level of shift."""

    domain: Domain
    shift: Shift


@dataclass(frozen=True)
class GroupRuns:
    """All runs of a group. budgets: where curves along the cost are read; reference: greedy at twice the budget."""

    group: Group
    budgets: tuple[float, ...]
    agents: Mapping[str, Curves]
    reference: Curves


def check(groups: Sequence[Group], study: Study) -> None:
    """DomainError, with the way out, where a study cannot be made."""
    for wrong in _faults(groups, study):
        raise DomainError(wrong)
    for group in groups:
        model = DomainModel(group.domain)
        check_budget(model, study.spends(group.domain))
        if group.shift == "shifted-parameters":
            check_shift(model)


def _faults(groups: Sequence[Group], study: Study) -> Iterator[str]:
    if not groups or not study.policies:
        yield "adaptation: name at least one domain and one policy"
    yield from _bad_groups(groups)
    for name, least in (("runs", 4), ("resamples", 100), ("contrasts", 1), ("particles", 10), ("processes", 1)):
        if getattr(study, name) < least:
            yield f"{name} {getattr(study, name)}: it must be at least {least}"
    if not 0 < study.reference < float("inf"):
        yield f"reference {study.reference:g}: it is a multiple of the budget, above 0"
    if study.baseline not in study.agents:
        known = ", ".join({**POLICIES, **study.policies})
        yield f"baseline: there is no {study.baseline!r}; they are {known}"
    for name, cost in study.training.items():
        if name not in study.policies or not 0 <= cost < float("inf"):
            asked = ", ".join(study.policies)
            yield f"training {name}={cost:g}: name one of {asked}, and a finite number of experiments"


def _bad_groups(groups: Sequence[Group]) -> Iterator[str]:
    pairs = [(group.domain.name, group.shift) for group in groups]
    for name, shift in pairs:
        if pairs.count((name, shift)) > 1:
            yield f"adaptation: {name} ({shift}) is asked for twice; domains of one name cannot be told apart"
        if shift not in SHIFTS:
            yield f"shift: there is no {shift!r}; they are {', '.join(SHIFTS)}"


def investigate(groups: Sequence[Group], study: Study, tell: Tell = silent) -> list[GroupRuns]:
    """All runs of a study; the same whatever the number of processes."""
    check(groups, study)
    orders = [(key, order) for group in groups for key, order in _orders(group, study)]
    done = work(simulate, [order for _, order in orders], study.processes, tell)
    found = list(zip([key for key, _ in orders], done, strict=True))
    return [_gathered(group, study, [(name, part) for (of, name), part in found if of is group]) for group in groups]


def _gathered(group: Group, study: Study, parts: Sequence[tuple[str, Curves]]) -> GroupRuns:
    agents = {name: joined([part for of, part in parts if of == name]) for name in (*study.agents, _REFERENCE)}
    reference = agents.pop(_REFERENCE)
    budgets = budget_grid(DomainModel(group.domain), study.spends(group.domain))
    return GroupRuns(group, budgets, agents, reference)


def _orders(group: Group, study: Study) -> Iterator[tuple[tuple[Group, str], Order]]:
    """Blocks of every agent, fixed by the number of runs alone."""
    budget = study.spends(group.domain)
    order = partial(
        Order,
        domain=group.domain,
        shift=group.shift,
        seed=domain_seed(group.domain.name, study.seed),
        particles=study.particles,
        contrasts=study.contrasts,
        shifted_by=study.shifted_by,
    )
    everyone = [(name, make, budget) for name, make in study.agents.items()]
    for name, make, spends in (*everyone, (_REFERENCE, POLICIES[GREEDY], study.reference * budget)):
        for block, first in enumerate(range(0, study.runs, _BLOCK)):
            runs = min(_BLOCK, study.runs - first)
            yield (group, name), order(make=make, budget=spends, block=block, runs=runs)

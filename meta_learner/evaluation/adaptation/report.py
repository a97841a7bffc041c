"""From the runs of a study to its report: every group, and all groups of a level of shift together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from meta_learner.evaluation.adaptation import aggregates, transfer
from meta_learner.evaluation.adaptation.aggregates import Numbers, Profile
from meta_learner.evaluation.adaptation.bootstrap import Array, Interval, Resamples, estimate, resamples
from meta_learner.evaluation.adaptation.curves import Curves
from meta_learner.evaluation.adaptation.scale import Scale, scale_of
from meta_learner.evaluation.adaptation.scores import NAMES
from meta_learner.evaluation.adaptation.shift import SHIFTS
from meta_learner.evaluation.adaptation.study import GroupRuns, Study
from meta_learner.evaluation.adaptation.survival import (
    Passage,
    Times,
    cost_to_reach,
    experiments_to_reach,
    passage,
)
from meta_learner.streams import stream

SHARES = (0.5, 0.8, 0.9)  # of the progress of greedy at twice the budget, that are to be reached
SAVED_AT = 0.8  # the one that experiments saved are counted to
THRESHOLDS = tuple(round(-1.0 + 0.05 * index, 2) for index in range(61))  # of performance profiles


@dataclass(frozen=True)
class Against:
    """An agent beside the baseline in the same worlds, in shares of the scale unless experiments are meant.

    difference: of normalised scores, paired. paired, unpaired: probability that the agent scores higher, in the same
    world and in another. jump_start: difference of progress after the first experiment. transfer: ratio of areas less
    1. saved: experiments a task to 80 % of the progress, saved_cost_share: of the cost. break_even: tasks; None where
    no cost of training is told.
    """

    difference: Interval
    paired: Interval
    unpaired: Interval
    jump_start: Interval
    transfer: Interval
    saved: Interval
    saved_cost_share: Interval
    break_even: Interval | None


@dataclass(frozen=True)
class Summary:
    """An agent over the runs of one group or of several. score: interquartile mean of normalised scores at the end of
    the budget; gap: what runs fall short of 1; area: interquartile mean of the area under progress."""

    policy: str
    score: Interval
    gap: Interval
    area: Interval
    profile: Profile
    against: Against | None


@dataclass(frozen=True)
class Reach:
    """A share of the progress, as a score, and how long it takes along experiments and along their cost."""

    share: float
    threshold: float
    experiments: Passage
    cost: Passage


@dataclass(frozen=True)
class Agent:
    """An agent in one group. own, own_error: mean score in the goal's own terms ± standard error; curve: interquartile
    mean of progress at each of the group's budgets; finals, times: of every run, in the order of its worlds."""

    summary: Summary
    own: float
    own_error: float
    experiments: float
    curve: tuple[Interval, ...]
    reach: tuple[Reach, ...]
    failed: int
    capped: int
    decision_seconds: float
    finals: Numbers
    times: Mapping[str, Times]


@dataclass(frozen=True)
class GroupReport:
    """unequal: whether experiments differ in cost; else a cost is a number of experiments."""

    domain: str
    identity: str
    title: str
    shift: str
    goal: str
    score: str
    budget: float
    unequal: bool
    budgets: Numbers
    runs: int
    scale: Scale
    clear: bool
    agents: tuple[Agent, ...]


@dataclass(frozen=True)
class ShiftReport:
    """All groups of a level of shift whose scale is clear; the others are named in ``left_out``."""

    shift: str
    domains: tuple[str, ...]
    left_out: tuple[str, ...]
    agents: tuple[Summary, ...]


@dataclass(frozen=True)
class Report:
    baseline: str
    groups: tuple[GroupReport, ...]
    shifts: tuple[ShiftReport, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain data; what is not finite is for ``results.plain`` to deal with."""
        content = _listed(asdict(self))
        assert isinstance(content, dict)
        return content


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(entry) for entry in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def report(study: Study, found: Sequence[GroupRuns]) -> Report:
    """Everything read off the runs of a study."""
    measured = [Measured(runs) for runs in found]
    groups = tuple(_group(study, one) for one in measured)
    shifts = []
    for shift in SHIFTS:
        here = [one for one in measured if one.runs.group.shift == shift]
        clear = [one for one in here if one.scale.clear]
        if here:
            names = [tuple(one.runs.group.domain.name for one in some) for some in (clear, here)]
            agents = tuple(_summary(study, clear, name) for name in study.agents) if clear else ()
            shifts.append(ShiftReport(shift, names[0], tuple(n for n in names[1] if n not in names[0]), agents))
    return Report(study.baseline, groups, tuple(shifts))


class Measured:
    """A group's runs on its scale."""

    def __init__(self, runs: GroupRuns) -> None:
        self.runs, self.scale = runs, scale_of(runs)
        self.budget = runs.budgets[-1]

    def of(self, name: str) -> Curves:
        return self.runs.agents[name]

    def normalised(self, name: str) -> Array:
        return self.scale.normalised(self.of(name).final)

    def progress(self, name: str) -> Array:
        """After each experiment [runs, experiments + 1]."""
        return self.scale.progress(self.of(name).score)

    def along(self, name: str) -> Array:
        """Progress at each budget [runs, budgets]."""
        return self.scale.progress(self.of(name).along(self.runs.budgets))

    def area(self, name: str) -> Array:
        return aggregates.area(self.along(name), self.runs.budgets)

    def experiments(self, name: str, share: float) -> Times:
        return experiments_to_reach(self.of(name), self.scale.threshold(share))

    def cost(self, name: str, share: float) -> Times:
        return cost_to_reach(self.of(name), self.scale.threshold(share), self.budget)

    @property
    def most(self) -> float:
        """Experiments up to which every agent is followed, by its longest run: the horizon of restricted means."""
        return float(min(curves.experiments.max() for curves in self.runs.agents.values()))


def _resamples(study: Study, groups: Sequence[Measured], which: int = 0) -> Resamples:
    sizes = [one.of(study.baseline).runs for one in groups]
    return resamples(sizes, study.resamples, stream(study.seed, which, 0, "check"))


def _summary(study: Study, groups: Sequence[Measured], name: str) -> Summary:
    drawn = _resamples(study, groups)
    scores = [one.normalised(name) for one in groups]
    return Summary(
        policy=name,
        score=estimate(scores, aggregates.iqm, drawn),
        gap=estimate(scores, aggregates.optimality_gap, drawn),
        area=estimate([one.area(name) for one in groups], aggregates.iqm, drawn),
        profile=aggregates.profile(scores, THRESHOLDS, drawn),
        against=None if name == study.baseline else _against(study, groups, name, drawn),
    )


def _against(study: Study, groups: Sequence[Measured], name: str, drawn: Resamples) -> Against:
    ours, theirs = ([one.normalised(who) for one in groups] for who in (name, study.baseline))
    early, others = ([one.progress(who) for one in groups] for who in (name, study.baseline))
    areas, baselines = ([one.area(who) for one in groups] for who in (name, study.baseline))
    times, waits = ([one.experiments(who, SAVED_AT) for one in groups] for who in (name, study.baseline))
    costs, prices = ([one.cost(who, SAVED_AT) for one in groups] for who in (name, study.baseline))
    saving = transfer.saved(times, waits, [one.most for one in groups], drawn)
    training = study.training.get(name)
    return Against(
        difference=aggregates.paired_difference(ours, theirs, drawn),
        paired=aggregates.paired_improvement(ours, theirs, drawn),
        unpaired=aggregates.improvement(ours, theirs, drawn, _resamples(study, groups, 1)),
        jump_start=transfer.jump_start(early, others, drawn),
        transfer=transfer.transfer_ratio(areas, baselines, drawn),
        saved=saving,
        saved_cost_share=transfer.saved_share(costs, prices, [one.budget for one in groups], drawn),
        break_even=None if training is None else transfer.break_even(training, saving),
    )


def _group(study: Study, one: Measured) -> GroupReport:
    runs, domain = one.runs, one.runs.group.domain
    return GroupReport(
        domain=domain.name,
        identity=domain.identity,
        title=domain.title,
        shift=runs.group.shift,
        goal=domain.goal.kind,
        score=NAMES[domain.goal.kind],
        budget=one.budget,
        unequal=domain.cost is not None,
        budgets=runs.budgets,
        runs=runs.reference.runs,
        scale=one.scale,
        clear=one.scale.clear,
        agents=tuple(_agent(study, one, name) for name in study.agents),
    )


def _agent(study: Study, one: Measured, name: str) -> Agent:
    curves = one.of(name)
    own = curves.final
    times = {f"{share:g}": one.experiments(name, share) for share in SHARES}
    return Agent(
        summary=_summary(study, [one], name),
        own=float(own.mean()),
        own_error=float(own.std(ddof=1)) / math.sqrt(len(own)),
        experiments=float(curves.experiments.mean()),
        curve=tuple(aggregates.curve([one.along(name)], _resamples(study, [one]))),
        reach=tuple(_reach(one, name, share) for share in SHARES),
        failed=curves.failed,
        capped=curves.capped,
        decision_seconds=curves.deciding / max(1, curves.decisions),
        finals=tuple(own.tolist()),
        times=times,
    )


def _reach(one: Measured, name: str, share: float) -> Reach:
    return Reach(
        share=share,
        threshold=one.scale.threshold(share),
        experiments=passage(one.experiments(name, share), one.most),
        cost=passage(one.cost(name, share), one.budget),
    )

"""The examination of a domain, put together."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from domains.worlds import DomainModel
from meta_learner.examination import remarks as say
from meta_learner.examination.influence import Influence, influence
from meta_learner.examination.remarks import Remark
from meta_learner.examination.rivals import Candidates, Rivals, candidates, rivals, screen
from meta_learner.examination.simulation import (
    ALLOWED_SHARE,
    Edge,
    PriorDraws,
    Region,
    broken_region,
    draw_prior,
    edges,
    example,
)

_DRAWS = 4000
_MOST = 12  # laws examined; of more, as many, spread evenly

Progress = Callable[[int, int], None]  # steps done, of how many


@dataclass(frozen=True)
class LawReport:
    """One law: share of broken draws with an example and where they lie, seconds per 1,000 simulated experiments, and
    which settings and parameters have what effect."""

    law: str
    broken: float
    example: str
    region: Region | None
    seconds: float
    influence: Influence


@dataclass(frozen=True)
class Examination:
    """Everything that was measured, and the remarks on it. ``candidates`` and ``pairs`` are left out where a law is
    broken: what is not finite tells nothing."""

    laws: tuple[LawReport, ...]
    edges: tuple[Edge, ...]
    candidates: Candidates | None
    pairs: tuple[Rivals, ...]
    remarks: tuple[Remark, ...]

    @property
    def ok(self) -> bool:
        return not any(remark.level == "failure" for remark in self.remarks)


def _untold(done: int, steps: int) -> None:
    del done, steps


def examine(model: DomainModel, progress: Progress = _untold) -> Examination:
    """Simulate the domain and judge what its parts are good for; ``progress`` is told of every step.

    Of more laws than can be looked at, some are, and neighbours among them are told apart.
    """
    problems = say.on_python(model)
    if problems:  # what does not keep to the rules cannot be examined further
        return Examination((), (), None, (), tuple(problems))
    whole = len(model.mechanisms)
    if whole > _MOST:
        some = model.domain.mechanisms[:: -(-whole // _MOST)]
        model = DomainModel(replace(model.domain, mechanisms=some))
    count = len(model.mechanisms)
    wanted = [(i, j) for j in range(count) for i in range(j) if whole == count or i == j - 1]
    steps = count + 1 + len(wanted)
    draws, laws = [], []
    for index in range(count):
        draws.append(draw_prior(model, index, _DRAWS))
        laws.append(_law(model, index, draws[-1]))
        progress(index + 1, steps)
    sound = all(law.broken <= ALLOWED_SHARE for law in laws)
    screening = screen(model.domain) if sound else None
    progress(count + 1, steps)
    pairs = []
    for done, pair in enumerate(sorted(wanted) if screening else (), count + 2):
        assert screening is not None
        pairs.append(rivals(model.domain, pair, screening))
        progress(done, steps)
    told = candidates(model, screening) if screening else None
    found = _judged(model, laws, edges(model, draws), told, pairs)
    return replace(found, remarks=(*found.remarks, *say.on_many(count, whole), *say.on_budget(model)))


def _law(model: DomainModel, index: int, draws: PriorDraws) -> LawReport:
    return LawReport(
        law=model.mechanisms[index].name,
        broken=draws.broken_share,
        example=example(model, draws),
        region=broken_region(model, draws),
        seconds=draws.seconds,
        influence=influence(model, index),
    )


def _judged(
    model: DomainModel, laws: list[LawReport], found: list[Edge], told: Candidates | None, pairs: list[Rivals]
) -> Examination:
    influences = [law.influence for law in laws]
    remarks = [
        *(remark for law in laws for remark in say.on_breaking(law.law, law.broken, law.example, law.region)),
        *say.on_edges(found),
        *say.on_settings(influences),
        *say.on_objective(model.domain, influences),
        *say.on_parameters(model.domain, influences),
        *say.on_rivals(pairs),
        *(say.on_candidates(told) if told else ()),
        *(remark for law in laws for remark in say.on_runtime(law.law, law.seconds)),
    ]
    return Examination(tuple(laws), tuple(found), told, tuple(pairs), tuple(remarks))

"""What an examination has to say, each remark with what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from domains import randomness
from domains.conformance import check_domain
from domains.document import Domain
from domains.worlds import DomainModel
from meta_learner.examination.influence import Effect, Influence, unused_constants
from meta_learner.examination.rivals import Candidates, Rivals
from meta_learner.examination.simulation import ALLOWED_SHARE, Edge, Region

_CROWDED = 0.5  # of the outcomes at one bound
_WASTED = 0.6  # of the designs that tell next to nothing
_COSTED = 1024  # designs whose cost is looked at
_SLOW = 1.0  # seconds per 1,000 simulated experiments


@dataclass(frozen=True)
class Remark:
    """failure: the domain is not in order; warning: something in it is to no purpose; note: worth knowing."""

    level: Literal["failure", "warning", "note"]
    about: str
    message: str


def on_breaking(law: str, share: float, example: str, where: Region | None) -> list[Remark]:
    """Remarks on prior draws whose outcomes are not finite."""
    if share == 0:
        return []
    place = f", above all where {where.name} is {where.values} (elsewhere {where.rest})" if where else ""
    found = f"{share:.2%} of the simulated experiments give values that are not finite{place}, for example at {example}"
    if share > ALLOWED_SHARE:
        way = "mend the law there, or narrow the prior or the range of the design"
        return [Remark("failure", f"law {law}", f"{found}; {way}")]
    return [Remark("note", f"law {law}", f"{found}; up to {ALLOWED_SHARE:.0%} counts as missing outcomes")]


def on_edges(edges: Sequence[Edge]) -> list[Remark]:
    """Remarks on outcomes that mostly end at a bound of their censoring."""
    way = "such an outcome tells little; move the bound, or narrow the designs to where the outcome is inside"
    return [
        Remark("warning", f"outcome {e.outcome}", f"{e.share:.0%} lie at the {e.side} bound {e.bound:g}: {way}")
        for e in edges
        if e.share > _CROWDED
    ]


def on_settings(influences: Sequence[Influence]) -> list[Remark]:
    """Remarks on settings that change no outcome under any law."""
    remarks = []
    for name in influences[0].settings:
        effect = _any([influence.settings[name] for influence in influences])
        if effect.outcomes:
            continue
        if effect.objective:
            message = "changes the goal and no outcome: set it at will, no experiment needs it"
            remarks.append(Remark("note", f"setting {name}", message))
        else:
            message = "changes no outcome under any law; drop it, or use it in a law or an outcome"
            remarks.append(Remark("warning", f"setting {name}", message))
    return remarks


def on_objective(domain: Domain, influences: Sequence[Influence]) -> list[Remark]:
    """A remark where no setting changes what the goal wants the most or the least of."""
    if domain.goal.objective is None or any(e.objective for i in influences for e in i.settings.values()):
        return []
    message = f"no setting changes {domain.goal.objective.text!r}: every design is as good; name what designs change"
    return [Remark("warning", "goal", message)]


def _any(effects: Sequence[Effect]) -> Effect:
    return Effect(any(e.outcomes for e in effects), any(e.objective for e in effects))


def on_parameters(domain: Domain, influences: Sequence[Influence]) -> list[Remark]:
    """Remarks on unknowns that no outcome depends on, and on constants that nothing uses."""
    remarks = []
    for mechanism, influence in zip(domain.mechanisms, influences, strict=True):
        for name, effect in influence.parameters.items():
            if not effect.outcomes:
                used = any(other.parameters[name].outcomes for other in influences if name in other.parameters)
                remarks.append(Remark("warning", f"parameter {name}", _idle(mechanism.name, effect, used)))
    idle = [] if domain.python else unused_constants(domain)  # who can say what Python uses
    notes = [Remark("note", f"constant {name}", "no law uses it; remove it") for name in idle]
    return remarks + notes


def _idle(law: str, effect: Effect, used: bool) -> str:
    if effect.objective:
        return (
            f"under the law {law} it enters only the goal: no experiment can tell anything about it; make it a "
            "constant, or add an outcome that depends on it"
        )
    way = "declare it under the laws that use it" if used else "remove it, or use it in the law"
    return f"no outcome depends on it under the law {law}; {way}"


def on_candidates(candidates: Candidates) -> list[Remark]:
    """A remark where most designs tell next to nothing."""
    if candidates.useless <= _WASTED:
        return []
    where = candidates.where
    place = f"they have {where.name} {where.values}, the others {where.rest}; " if where else ""
    message = (
        f"{candidates.useless:.0%} of them tell less than 1 % of what the best one tells; {place}"
        "narrower ranges would make random and space-filling designs better, planned ones hardly"
    )
    return [Remark("note", "designs", message)]


def on_rivals(pairs: Sequence[Rivals]) -> list[Remark]:
    """Remarks on pairs of laws that no design tells apart."""
    return [_alike(pair) for pair in pairs if pair.alike]


def _alike(pair: Rivals) -> Remark:
    message = (
        f"no design found tells them apart (the best one: {pair.single.nats:.1g} ± {pair.single.error:.1g} of at most "
        "0.693 nats; eight together: nothing either); merge them if they say the same, else widen the designs or add "
        "an outcome in which they differ"
    )
    return Remark("warning", f"laws {pair.laws[0]} and {pair.laws[1]}", message)


def on_runtime(law: str, seconds: float) -> list[Remark]:
    """A remark on a law that takes long to simulate."""
    if seconds <= _SLOW:
        return []
    message = f"1,000 simulated experiments take {seconds:.1f} s, and planning needs many; simplify the dynamics"
    return [Remark("note", f"law {law}", message)]


def on_many(examined: int, laws: int) -> list[Remark]:
    """A remark where there are more laws than were looked at."""
    if examined == laws:
        return []
    return [
        Remark("note", "mechanisms", f"{examined} of {laws} laws were examined, and neighbours among them told apart")
    ]


def on_budget(model: DomainModel) -> list[Remark]:
    """A failure where the budget pays for no experiment; DomainError where some design costs nothing or less."""
    model.space.cost(model.space.sobol(_COSTED, randomness.generator(0)))
    cheapest, budget = model.space.cost(model.space.cheapest).item(), model.domain.budget
    if cheapest <= budget:
        return []
    message = f"it is {budget:g}, and the cheapest experiment costs {cheapest:g}; raise it"
    return [Remark("failure", "budget", message)]


def on_python(model: DomainModel) -> list[Remark]:
    """What the conformance suite finds in the laws of a Python domain."""
    if model.simulator is None:
        return []
    return [Remark("failure", f"python {model.domain.python}", problem) for problem in check_domain(model.domain)]

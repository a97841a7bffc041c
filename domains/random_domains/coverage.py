"""What a domain is made of, in words: what tables of coverage count."""

import re
from collections.abc import Iterator

from domains.document import Domain, Outcome

_DISTANCE = re.compile(r"\(\w+ - \w+\)\*\*2")  # from something that is to be located


def counts(domain: Domain) -> dict[str, int]:
    """Numbers of mechanisms, unknown parameters (a vector by its entries), designs and outcomes."""
    return {
        "mechanisms": len(domain.mechanisms),
        "parameters": sum(len(parameter.entries) for parameter in domain.parameters),
        "designs": len(domain.designs),
        "outcomes": len(domain.outcomes),
    }


def words(domain: Domain) -> dict[str, frozenset[str]]:
    """The words of the format that a domain uses: design kinds, prior and outcome families, goal, features."""
    return {
        "kinds": frozenset(design.kind for design in domain.designs),
        "priors": frozenset(p.prior.family for p in domain.parameters if p.prior is not None),
        "outcomes": frozenset(outcome.family for outcome in domain.outcomes),
        "goals": frozenset({_goal(domain)}),
        "features": frozenset(_features(domain)),
    }


def _goal(domain: Domain) -> str:
    return "learn: [names]" if domain.goal.parameters else domain.goal.kind


def _features(domain: Domain) -> Iterator[str]:
    """The features of ``recipe.FEATURES`` that a document shows."""
    present = {
        "dynamics": any(mechanism.dynamics for mechanism in domain.mechanisms),
        "vector": any(outcome.size for outcome in domain.outcomes),
        "second outcome": len(domain.outcomes) > 1,
        "effort": any(_is_effort(domain, design.name) for design in domain.designs),
        "source": any(_DISTANCE.search(text) for text in _texts(domain)),
        "exchangeable": bool(domain.exchangeable),
        "unknown noise": any(parameter.name in ("noise", "log_noise") for parameter in domain.parameters),
        "hierarchical": any(a.names for p in domain.parameters if p.prior for a in p.prior.arguments),
        "truncation": any(p.prior.low or p.prior.high for p in domain.parameters if p.prior),
        "censor": any(outcome.censor for outcome in domain.outcomes),
        "cost": domain.cost is not None,
        "constraints": bool(domain.constraints),
        "weights": len({mechanism.weight for mechanism in domain.mechanisms}) > 1,
        "several laws": len(domain.mechanisms) > 1,
        "log scale": any(design.scale == "log" for design in domain.designs),
    }
    yield from (feature for feature, there in present.items() if there)


def _texts(domain: Domain) -> Iterator[str]:
    return (law.text for mechanism in domain.mechanisms for _, law in mechanism.let)


def _is_effort(domain: Domain, name: str) -> bool:
    """Whether a design enters outcomes and no law."""
    laws = set[str]()
    for mechanism in domain.mechanisms:
        laws |= {used for _, law in mechanism.let for used in law.names}
        if mechanism.dynamics is not None:
            states = mechanism.dynamics.states
            laws |= {used for state in states for law in (state.start, state.rate) for used in law.names}
            laws |= mechanism.dynamics.until.names if mechanism.dynamics.until else set()
    return name not in laws and any(name in _used(outcome) for outcome in domain.outcomes)


def _used(outcome: Outcome) -> frozenset[str]:
    laws = [law for entry in outcome.arguments.values() for law in (entry if isinstance(entry, tuple) else (entry,))]
    return frozenset[str]().union(*(law.names for law in laws))

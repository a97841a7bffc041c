"""Who takes part in the study of adaptation on one domain: the universal policy, specialists trained there, and others.

The universal policy comes as it is and adapted. Specialists decide in two ways: by the design that they hold most
likely, and by one drawn from their distribution, as in training: where little was learned, the first repeats one design
and does worse than random, so that to be compared with it alone would flatter. Agents that are there already, as they
were asked for, are not made anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from domains.document import Domain
from domains.worlds import DomainModel
from meta_learner.agents.loading import load_policy
from meta_learner.agents.store import Store, Stored
from meta_learner.evaluation.adaptation.curves import Make
from meta_learner.evaluation.adaptation.study import GREEDY, RANDOM
from meta_learner.policies import POLICIES
from meta_learner.policies.base import Policy
from meta_learner.specialists import Recipe, Specialised
from meta_learner.specialists.session import Plan
from orchestrator import adaptation, services
from orchestrator.agents import agent_store
from orchestrator.cli.progress import Told
from orchestrator.settings import Settings
from orchestrator.training import train

UNIVERSAL, ADAPTED = "universal", "universal, adapted"
SCRATCH, LONGER, DRAWN = "scratch", "scratch, longer", ", drawn"
_UPDATES = 50  # a specialist's, at least, where so many experiments allow it
_EPISODES = (4, 64)  # of an update


@dataclass(frozen=True)
class Asked:
    """agent: the universal one; minutes of adaptation; longer: how many times as many experiments the long trainings
    take; families of these, besides scratch; follow: the budget of runs, a multiple of the domain's; contrasts of
    trainings."""

    agent: str
    minutes: float
    longer: float
    families: tuple[str, ...]
    follow: float
    contrasts: int
    seed: int


@dataclass(frozen=True)
class Contender:
    """A policy under the name of its part in the study; weights: an agent's; experiments: simulated on this domain for
    it to learn from."""

    part: str
    make: Make
    weights: str = ""
    experiments: int = 0


def contenders(settings: Settings, domain: Domain, asked: Asked, told: Told) -> Iterator[Contender]:
    """All, made one after the other."""
    store = agent_store(settings)
    universal = store.find(asked.agent)
    adapted = _adapted(settings, universal, domain, asked, told)
    decided = adapted.card.training.experiments - universal.card.training.experiments
    yield _contender(UNIVERSAL, store, universal, domain, 0)
    yield _contender(ADAPTED, store, adapted, domain, decided)
    long = round(asked.longer * decided)
    for part, family, experiments in (
        (SCRATCH, "scratch", decided),
        (LONGER, "scratch", long),
        *((family, family, long) for family in asked.families),
    ):
        made = _specialist(settings, _plan(family, domain, experiments, asked), told)
        learned = made.card.training.experiments
        yield _contender(part, store, made, domain, learned)
        yield _contender(part + DRAWN, store, made, domain, learned, drawn=True)
    yield Contender(RANDOM, POLICIES[RANDOM])
    yield Contender(GREEDY, POLICIES[GREEDY])


def _contender(
    part: str, store: Store, agent: Stored, domain: Domain, experiments: int, *, drawn: bool = False
) -> Contender:
    weights = agent.card.weights.sha256
    make = partial(_loaded, store, agent.name, weights, domain, drawn=drawn)
    return Contender(part, make, weights, experiments)


def _loaded(store: Store, name: str, weights: str, domain: Domain, *, drawn: bool) -> Policy:
    policy = load_policy(store.find(name, weights), DomainModel(domain))
    return Specialised(policy.network, drawn=True) if drawn and isinstance(policy, Specialised) else policy


def _adapted(settings: Settings, universal: Stored, domain: Domain, asked: Asked, told: Told) -> Stored:
    weights = universal.card.weights.sha256[:8]
    name = f"{universal.name}-w{weights}-{domain.name}-{60 * asked.minutes:.0f}s-{asked.seed}"
    store = agent_store(settings)
    if name in store.names():
        return store.find(name)
    return adaptation.adapt(
        settings,
        adaptation.Asked(domain, universal.name, name, seconds=60 * asked.minutes, seed=asked.seed),
        told=lambda share, _regret: told(f"{domain.name}: adapting", share),
    ).agent


def _plan(family: str, domain: Domain, experiments: int, asked: Asked) -> Plan:
    name = f"{family}-{domain.name}-{experiments}-{asked.follow:g}-{asked.seed}".replace(".", "p")
    return Plan(name, family, domain, recipe=Recipe(**_recipe(domain, experiments, asked)))


def _specialist(settings: Settings, plan: Plan, told: Told) -> Stored:
    _, agent = train(
        settings,
        services.open_database(settings),
        plan,
        told=lambda step, steps, _gain: told(f"{plan.name}: training", min(1.0, step / steps)),
    )
    return agent


def _recipe(domain: Domain, experiments: int, asked: Asked) -> dict[str, Any]:
    """Episodes have the budget that runs will have, and are few at a time where experiments are few."""
    space, budget = DomainModel(domain).space, asked.follow * domain.budget
    longest = int(budget / space.cost(space.cheapest).item() + 1e-9)
    least, most = _EPISODES
    return {
        "experiments": experiments,
        "episodes": max(least, min(most, experiments // (_UPDATES * longest))),
        "contrasts": asked.contrasts,
        "budget": budget,
        "seed": asked.seed,
    }

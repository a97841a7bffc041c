"""Adapting an agent to one domain: what comes out is an agent for that domain alone, with a card of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from domains.document import Domain
from meta_learner.agents.card import AgentError, Card, Document
from meta_learner.agents.store import Stored
from orchestrator.agents import agent_store, choose_policy
from orchestrator.device import placed
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from torch import nn

    from meta_learner.training.adaptation import Which
    from meta_learner.training.session import Session

_BATCH, _RATE, _MANY = 16, 1e-3, 10**9
Told = Callable[[float, float], None]  # the share of the time that is over, and the regret of the last step


@dataclass(frozen=True)
class Adapted:
    """The new agent, and how the regret of its decisions went (means of the first and of the last tenth)."""

    agent: Stored
    steps: int
    seconds: float
    regret_before: float
    regret_after: float


def adapt(
    settings: Settings,
    domain: Domain,
    *,
    agent: str,
    name: str,
    seconds: float,
    which: "Which" = "all",
    seed: int = 0,
    stopped: Callable[[], bool] = lambda: False,
    told: Told = lambda _share, _value: None,
) -> Adapted:
    """Let an agent of the experimenter's family go on learning on a domain. AgentError where that cannot be."""
    store = agent_store(settings)
    choose_policy(settings, agent, domain)
    found = store.find(agent)
    if found.card.family != "experimenter":
        raise AgentError(f"the agent {agent!r} is of the family {found.card.family!r}; only an experimenter adapts so")
    if name in store.names():
        raise AgentError(f"there is an agent {name!r} already; choose another name (--name)")
    from domains.worlds import DomainModel
    from meta_learner.agents.loading import load_network
    from meta_learner.experimenter.network import Experimenter
    from meta_learner.training.adaptation import adapted, adapting
    from meta_learner.training.decisions import KnownDomains
    from meta_learner.training.session import curve_of
    from meta_learner.training.training import Stage

    with placed(settings.device):
        network = cast(Experimenter, load_network(found))
        task = KnownDomains(known=(DomainModel(domain),))
        session = adapting(network, task, which=which, stage=Stage(_MANY, _BATCH, _RATE, even=True), seed=seed)
        values = _values(session, seconds, stopped, told)
        session.curve = curve_of(values)
        card, weights = _packed(adapted(session), found.card, domain, session, name=name, which=which)
        tenth = max(1, len(values) // 10)
        ends = (sum(values[:tenth]) / tenth, sum(values[-tenth:]) / tenth)
        return Adapted(store.save(card, weights), session.training.step, session.seconds, *ends)


def _values(session: "Session", seconds: float, stopped: Callable[[], bool], told: Told) -> list[float]:
    """The regret of every step, at least one, until the time is over."""
    begun, values = time.monotonic(), list[float]()
    for value in session.run():
        values.append(value)
        told(min(1.0, (time.monotonic() - begun) / max(seconds, 1e-9)), value)
        if stopped() or time.monotonic() - begun >= seconds:
            break
    return values


def _packed(
    network: "nn.Module", before: Card, domain: Domain, session: "Session", *, name: str, which: "Which"
) -> tuple[Card, bytes]:
    """A specialist: it was trained on this domain, so that no result there is held out."""
    from meta_learner.agents.loading import packed
    from meta_learner.evaluation.results import provenance

    about, training = provenance(), session.training
    document = Document(name=domain.name, identity=domain.identity)
    return packed(
        network,
        name=name,
        family=before.family,
        options=before.options,
        goals=before.goals,
        domains=(document,),
        recipe={"adapted": before.name, "weights": before.weights.sha256, "which": which, "before": before.recipe},
        training={
            "tasks": (*before.training.tasks, f"then decisions of {domain.name}"),
            "domains": (*before.training.domains, document),
            "steps": before.training.steps + training.step,
            "episodes": before.training.episodes + training.episodes,
            "experiments": before.training.experiments + training.experiments,
            "seconds": round(before.training.seconds + session.seconds, 1),
            "hardware": f"{about['machine']['processor']}, {about['machine']['device']}",
            "commit": about["commit"],
            "date": about["date"][:10],
            "curve_of": "regret on decisions of the domain, a share of what the best design gains",
            "curve": session.curve,
        },
        limits=before.limits,
    )

"""Policies by name: the classical ones, and the agents that are stored; and which of them is the default. Torch-free.

The default is what was promoted, else the agent that is shipped for it, where its card shows that it is at least as
good as the best classical policy, else that.
"""

import difflib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains.document import Domain
from meta_learner.agents.card import AgentError, Card, checked_name
from meta_learner.agents.standing import shortfalls
from meta_learner.agents.store import Store, Stored
from orchestrator.errors import OrganonError, RequestError
from orchestrator.people import Why
from orchestrator.requests import BEST_POLICY, POLICY_NAMES, check_policy
from orchestrator.retirement import keep_restored, keep_retired, refuse_retired, retired_agents
from orchestrator.settings import Settings

SHIPPED_DEFAULT = UNIVERSAL = "experimenter"  # an agent; a family


@dataclass(frozen=True)
class ChosenPolicy:
    """A policy that serves a campaign; agent: None for a classical one."""

    name: str
    agent: Stored | None = None

    @property
    def weights(self) -> str | None:
        """Their sha256."""
        return None if self.agent is None else self.agent.card.weights.sha256

    @property
    def record(self) -> dict[str, Any] | None:
        """What a campaign keeps of it besides the name: exactly which weights."""
        return None if self.agent is None else {"weights": self.weights}


def agent_store(settings: Settings) -> Store:
    """The agents of the home, and those shipped."""
    return Store(settings.folder / "agents")


def policy_names(settings: Settings, domain: Domain) -> list[str]:
    """What a campaign of this domain may be asked for, the default first where it serves the domain."""
    retired = retired_agents(settings)
    serving = [
        name for name in agent_store(settings).names() if name not in retired and _serves(settings, name, domain)
    ]
    names = [*POLICY_NAMES, *serving]
    default = default_policy(settings)
    return sorted(names, key=lambda name: name != default)


def choose_policy(
    settings: Settings, asked: str | None, domain: Domain, *, by_information: bool = False
) -> ChosenPolicy:
    """The policy of that name, or the default, for a new campaign; RequestError unless there is one, it serves the
    domain, and is not retired. by_information: runs are to end when too little is expected of any experiment, which
    agents do not say: the classical policy that does is then the default."""
    if asked is None:
        asked = BEST_POLICY if by_information else default_policy(settings)
    if asked not in POLICY_NAMES:
        refuse_retired(settings, asked)
    return find_policy(settings, asked, domain)


def find_policy(settings: Settings, name: str, domain: Domain) -> ChosenPolicy:
    """The policy of that name, retired or not; RequestError unless there is one and it serves the domain."""
    if name in POLICY_NAMES:
        check_policy(name, domain)
        return ChosenPolicy(name)
    store = agent_store(settings)
    if name not in store.names():
        names = [*POLICY_NAMES, *store.names()]
        near = difflib.get_close_matches(name, names, 1, 0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise RequestError(f"--policy: there is no policy {name!r}; {hint}Policies are {', '.join(names)}")
    agent = store.find(name)
    why = agent.card.refusal(domain.name, domain.identity, domain.goal.kind)
    if why:
        raise RequestError(f"--policy {name}: this agent {why}; choose another policy, such as {BEST_POLICY}")
    agent.weights()
    return ChosenPolicy(name, agent)


def check_recorded_policy(settings: Settings, policy: str, recorded: Mapping[str, Any]) -> None:
    """RequestError where a campaign, with these recorded settings, was begun with weights that are not here."""
    agent = recorded.get("agent")
    if agent is None:
        return
    try:
        agent_store(settings).find(policy, agent["weights"]).weights()
    except AgentError as error:
        raise RequestError(f"this campaign cannot go on: {error}") from None


def default_policy(settings: Settings) -> str:
    """The policy of campaigns that are asked for without one.

    OrganonError where what was promoted is not to be had any more, or its card no longer shows that it is good enough.
    """
    promoted = _promoted(settings)
    if promoted in POLICY_NAMES:
        return str(promoted)
    if promoted is None:
        return SHIPPED_DEFAULT if _ships_default(settings) else BEST_POLICY
    try:
        lacking = shortfalls(agent_store(settings).find(promoted).card)
    except AgentError as error:
        raise OrganonError(f"the default policy {promoted!r} is not to be had: {error}. {_WAY_BACK}") from None
    if lacking:
        raise OrganonError(f"the default policy {promoted!r} has lost its standing: {'; '.join(lacking)}. {_WAY_BACK}")
    return promoted


def promote(settings: Settings, name: str) -> Card:
    """Make an agent the default policy; OrganonError unless its card shows that it is good enough, RequestError where
    it is retired."""
    refuse_retired(settings, name)
    agent = agent_store(settings).find(name)
    lacking = shortfalls(agent.card)
    if lacking:
        raise OrganonError(
            f"the agent {name!r} cannot be the default policy, for its card does not show that it is at least as good "
            f"as {BEST_POLICY}: {'; '.join(lacking)}. organon agent evaluate {name} --domain DOMAIN --record adds to it"
        )
    agent.weights()
    _keep(settings, name)
    return agent.card


def demote(settings: Settings) -> str:
    """Make the best classical policy the default again; returns its name."""
    _keep(settings, BEST_POLICY)
    return BEST_POLICY


def retire(settings: Settings, name: str, why: Why) -> None:
    """Offer an agent for no new campaign; those begun with it go on. RequestError where it is the default policy, or
    retired already; AgentError where there is none such."""
    if name in POLICY_NAMES:
        raise RequestError(f"{name!r} is a classical policy; only agents are retired")
    agent_store(settings).find(name)
    if name == default_policy(settings):
        raise RequestError(
            f"the agent {name!r} is the default policy; promote another first, or take the classical one "
            "(organon agent demote)"
        )
    keep_retired(settings, name, why)


def restore(settings: Settings, name: str) -> None:
    """Offer a retired agent again; RequestError where it is not retired."""
    keep_restored(settings, name)


def check_new_name(settings: Settings, name: str, same: Callable[[Any], bool]) -> None:
    """OrganonError unless what is trained by a recipe may bear this name: a proper one, which no other agent has; same:
    whether the recipe on a card is that one."""
    try:
        checked_name(name)
    except ValueError as error:
        raise OrganonError(str(error)) from None
    store = agent_store(settings)
    if name in store.names() and not same(store.find(name).card.recipe):
        raise OrganonError(
            f"there is an agent {name!r} already, of another recipe, in {store.find(name).folder}; choose another name "
            "(name: of a recipe, --name of a specialist)"
        )


def check_adaptation(settings: Settings, agent: str, name: str, domain: Domain) -> Stored:
    """The agent that is to be adapted to a domain, under a new name; AgentError or RequestError where it cannot be."""
    store = agent_store(settings)
    choose_policy(settings, agent, domain)
    found = store.find(agent)
    try:
        checked_name(name)
    except ValueError as error:
        raise AgentError(str(error)) from None
    if found.card.family != UNIVERSAL:
        raise AgentError(f"the agent {agent!r} is of the family {found.card.family!r}; only an experimenter adapts so")
    if name in store.names():
        raise AgentError(f"there is an agent {name!r} already; choose another name (--name)")
    return found


_WAY_BACK = "organon agent demote makes the best classical policy the default again"


def _file(settings: Settings) -> Path:
    return settings.folder / "default-policy.json"


def _promoted(settings: Settings) -> str | None:
    """What was last promoted or demoted to; None where nothing was."""
    path = _file(settings)
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return str(kept["policy"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OrganonError(f"{path} cannot be read as the default policy ({error}). {_WAY_BACK}") from None


def _keep(settings: Settings, name: str) -> None:
    path = settings.make_home() / _file(settings).name
    draft = path.with_suffix(".partial")
    draft.write_text(json.dumps({"policy": name}) + "\n", encoding="utf-8")
    draft.replace(path)


def _ships_default(settings: Settings) -> bool:
    """Whether the shipped agent is there and its card shows that it is good enough."""
    store = agent_store(settings)
    shipped = Store(store.shipped, store.shipped)
    return SHIPPED_DEFAULT in shipped.names() and shipped.find(SHIPPED_DEFAULT).card.as_good_as_greedy


def _serves(settings: Settings, name: str, domain: Domain) -> bool:
    """Whether an agent can be sent into a domain; one whose card cannot be read cannot."""
    with suppress(AgentError):
        card = agent_store(settings).find(name).card
        return card.refusal(domain.name, domain.identity, domain.goal.kind) is None
    return False

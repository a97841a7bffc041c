"""The register of agents and policies, as the pages show it. Torch-free."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments_db import trainings
from experiments_db.database import Database
from experiments_db.trainings import TrainingRecord
from meta_learner.agents.card import GREEDY as GREEDY
from meta_learner.agents.card import AgentError
from meta_learner.agents.card import Card as AgentCard
from meta_learner.agents.standing import OnDomain, Ratio, on_domains, pooled, shortfalls
from meta_learner.agents.store import Stored as StoredAgent
from orchestrator.agents import agent_store, default_policy
from orchestrator.errors import EXPECTED
from orchestrator.requests import POLICY_NAMES
from orchestrator.retirement import Retired, retired_agents
from orchestrator.settings import Settings

CLASSICAL_SAID = {
    "expected-information-gain": "makes the experiment that is expected to tell most per unit of cost: greedy, and "
    "what every other policy is measured beside",
    "expected-improvement": "for questions of the best design: a Gaussian process, and the design whose improvement "
    "on the best so far is expected to be largest",
    "sobol": "spreads designs evenly over the space, whatever comes back: a low-discrepancy sequence",
    "random": "draws designs at random: the least that any policy has to be better than",
}


@dataclass(frozen=True)
class Entry:
    """A line of the register; stored: None where the card cannot be read, which problem says."""

    name: str
    stored: StoredAgent | None
    problem: str
    default: bool
    retired: Retired | None

    @property
    def standing(self) -> str:
        """How it is offered, in a word."""
        if self.problem:
            return "unreadable"
        return "retired" if self.retired else "default" if self.default else "offered"


@dataclass(frozen=True)
class Beside:
    """An agent beside greedy on one domain, as the forest plot shows it; ratio: None where greedy gains nothing."""

    domain: str
    goal: str
    runs: int
    ratio: Ratio | None
    clearly_worse: bool


@dataclass(frozen=True)
class Standing:
    """What a card shows beside greedy. lacking: what it lacks to be the default policy, in words."""

    domains: tuple[Beside, ...]
    pooled: Ratio | None
    lacking: tuple[str, ...]


def agent_names(settings: Settings) -> list[str]:
    """All agents, the default first, those that are retired last."""
    default, retired = default_name(settings)[0], retired_agents(settings)
    return sorted(agent_store(settings).names(), key=lambda name: (name in retired, name != default, name))


def entries(settings: Settings, names: Sequence[str]) -> list[Entry]:
    """The lines of these agents."""
    default, retired = default_name(settings)[0], retired_agents(settings)
    return [_entry(settings, name, default, retired) for name in names]


def default_name(settings: Settings) -> tuple[str | None, str]:
    """The default policy, or None and what is wrong with it."""
    try:
        return default_policy(settings), ""
    except EXPECTED as error:
        return None, str(error)


def standing_of(card: AgentCard) -> Standing:
    """How a card stands beside greedy on what it was not trained on."""
    found = on_domains(card)
    return Standing(tuple(_beside(each) for each in found), pooled(found), tuple(shortfalls(card)))


def policy_choices(settings: Settings) -> list[str]:
    """What may be compared: classical policies and agents, those retired, too."""
    return [*POLICY_NAMES, *agent_store(settings).names()]


def trainings_of(database: Database, agent: str, limit: int = 20) -> list[TrainingRecord]:
    """The meta-trainings of an agent, the newest first."""
    with database.read() as session:
        return trainings.trainings_of(session, agent, limit)


def _entry(settings: Settings, name: str, default: str | None, retired: dict[str, Retired]) -> Entry:
    try:
        stored = agent_store(settings).find(name)
    except AgentError as error:
        return Entry(name, None, str(error), name == default, retired.get(name))
    return Entry(name, stored, "", name == default, retired.get(name))


def _beside(found: OnDomain) -> Beside:
    return Beside(found.name, found.goal, found.runs, found.ratio, found.clearly_worse)

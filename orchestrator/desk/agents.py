"""What a person does with agents: promote, retire, compare, adapt."""

from typing import Any

from domains.loading import find
from experiments_db.jobs import JobRecord
from orchestrator import agents
from orchestrator.agent_work import being_made
from orchestrator.agents import check_adaptation, find_policy
from orchestrator.desk.base import Desk
from orchestrator.errors import RequestError
from orchestrator.jobs import ask

WHICH = ("all", "head", "low-rank")  # of a network's weights: those of meta_learner.training.adaptation, torch-free
MOST_RUNS = 200


class AgentDesk(Desk):
    """For whoever looks at agents."""

    def promote(self, name: str) -> None:
        """Make an agent the default policy of new campaigns, if its card shows that it is good enough."""
        self.acting()
        agents.promote(self.settings, name)

    def demote(self) -> str:
        """Make the best classical policy the default again; returns its name."""
        self.acting()
        return agents.demote(self.settings)

    def retire(self, name: str, reason: str) -> None:
        """Offer an agent for no new campaign; those begun with it go on."""
        agents.retire(self.settings, name, self.acting(reason.strip()))

    def restore(self, name: str) -> None:
        """Offer a retired agent again."""
        self.acting()
        agents.restore(self.settings, name)

    def compare(self, names: tuple[str, str], domain: str, *, runs: int, seed: int, particles: int = 1000) -> JobRecord:
        """Ask for two policies to investigate the same worlds of a domain."""
        by = self.acting().by
        if names[0] == names[1]:
            raise RequestError(f"{names[0]} beside itself tells nothing; choose two")
        if not 2 <= runs <= MOST_RUNS:
            raise RequestError(f"{runs} worlds: ask for 2 to {MOST_RUNS}; organon agent evaluate takes more")
        found = find(domain)
        chosen = [find_policy(self.settings, name, found) for name in names]
        arguments: dict[str, Any] = {
            "policies": [{"name": each.name, "weights": each.weights} for each in chosen],
            "domain": domain,
            "identity": found.identity,
            "runs": runs,
            "seed": seed,
            "particles": particles,
        }
        return ask(self.settings, self.database, "compare", arguments, by)

    def adapt(self, agent: str, domain: str, *, name: str, minutes: float, which: str = "all") -> JobRecord:
        """Ask for an agent to go on learning on one domain; what comes of it is another agent."""
        by = self.acting().by
        if which not in WHICH:
            raise RequestError(f"what may change is one of {', '.join(WHICH)}, not {which!r}")
        if not minutes > 0:
            raise RequestError(f"{minutes:g} minutes: nothing is learned in no time")
        found = find(domain)
        before = check_adaptation(self.settings, agent, name, found)
        arguments = {
            "agent": agent,
            "weights": before.card.weights.sha256,
            "domain": domain,
            "identity": found.identity,
            "name": name,
            "seconds": 60.0 * minutes,
            "which": which,
        }
        under_way = being_made(self.database).get(name)
        if under_way is not None and under_way.arguments != arguments:  # two would begin each other anew, for ever
            raise RequestError(f"the agent {name!r} is being made now; stop that first, or choose another name")
        return ask(self.settings, self.database, "adapt", arguments, by)

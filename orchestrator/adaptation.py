"""Adapting an agent to one domain: what comes out is an agent for that domain alone, with a card of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from domains.document import Domain
from meta_learner.agents.card import Card, Document
from meta_learner.agents.store import Stored
from orchestrator.agents import agent_store, check_adaptation
from orchestrator.device import placed
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from torch import nn

    from meta_learner.training.adaptation import Which
    from meta_learner.training.session import Session

_VALUES, _ABOUT = "values", "adaptation"  # of the file: a tensor, the entry of its metadata
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


@dataclass(frozen=True)
class Asked:
    """What is to be adapted, to what, and for how long. agent: of which it starts; name: of what comes of it."""

    domain: Domain
    agent: str
    name: str
    seconds: float
    which: "Which" = "all"
    seed: int = 0


@dataclass(frozen=True)
class Adaptation:
    """An adaptation under way. values: the regret of every step so far."""

    asked: Asked
    before: Stored
    session: "Session"
    values: list[float]

    @property
    def share(self) -> float:
        """Of the time, how much is over."""
        return min(1.0, self.session.seconds / max(self.asked.seconds, 1e-9))

    @property
    def over(self) -> bool:
        """Whether the time is, and there was a step at least."""
        return bool(self.values) and self.session.seconds >= self.asked.seconds

    def learn(self, stopped: Callable[[], bool], told: Told) -> None:
        """Go on, for a step at least, until the time is over or it is stopped."""
        for value in self.session.run():
            self.values.append(value)
            told(self.share, value)
            if self.over or stopped():
                return

    def finish(self, settings: Settings) -> Adapted:
        """Keep what was learned as an agent."""
        from meta_learner.training.adaptation import adapted
        from meta_learner.training.session import curve_of

        session, values = self.session, self.values
        session.curve = curve_of(values)
        asked = self.asked
        card, weights = _packed(
            adapted(session), self.before.card, asked.domain, session, name=asked.name, which=asked.which
        )
        tenth = max(1, len(values) // 10)
        ends = (sum(values[:tenth]) / tenth, sum(values[-tenth:]) / tenth)
        return Adapted(agent_store(settings).save(card, weights), session.training.step, session.seconds, *ends)

    def keep(self, path: Path) -> None:
        """Write down all that the next step depends on, whole."""
        import torch
        from safetensors.torch import save_file

        path.parent.mkdir(parents=True, exist_ok=True)
        parts = {**self.session.state(), _VALUES: torch.tensor(self.values, dtype=torch.float64)}
        state = {name: value.detach().cpu().contiguous() for name, value in parts.items()}
        about = {"of": self._of, "seconds": self.session.seconds}
        draft = path.with_suffix(".partial")
        save_file(state, draft, metadata={_ABOUT: json.dumps(about)})
        draft.replace(path)

    def resume(self, path: Path) -> None:
        """Go on where a file left it; where that is of another adaptation, or there is none, it begins anew."""
        from safetensors import safe_open

        if not path.exists():
            return
        with safe_open(path, "pt") as file:
            kept = json.loads(file.metadata()[_ABOUT])
            if kept["of"] != self._of:
                return
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no dictionary)
        self.values.extend(state.pop(_VALUES).tolist())
        self.session.restore(state)
        self.session.seconds = kept["seconds"]

    @property
    def _of(self) -> dict[str, Any]:
        """What an adaptation goes on from: all but for how long."""
        asked, weights = self.asked, self.before.card.weights.sha256
        return {"weights": weights, "domain": asked.domain.identity, "which": asked.which, "seed": asked.seed}


def adapt(
    settings: Settings,
    asked: Asked,
    *,
    stopped: Callable[[], bool] = lambda: False,
    told: Told = lambda _share, _value: None,
) -> Adapted:
    """Let an agent of the experimenter's family go on learning on a domain. AgentError where that cannot be."""
    with placed(settings.device):
        adaptation = begun(settings, asked)
        adaptation.learn(stopped, told)
        return adaptation.finish(settings)


def begun(settings: Settings, asked: Asked) -> Adaptation:
    """An adaptation before its first step, on the default device."""
    found = check_adaptation(settings, asked.agent, asked.name, asked.domain)
    from domains.worlds import DomainModel
    from meta_learner.agents.loading import load_network
    from meta_learner.experimenter.network import Experimenter
    from meta_learner.training.adaptation import adapting
    from meta_learner.training.decisions import KnownDomains
    from meta_learner.training.training import Stage

    network = cast(Experimenter, load_network(found))
    task = KnownDomains(known=(DomainModel(asked.domain),))
    stage = Stage(_MANY, _BATCH, _RATE, even=True)
    return Adaptation(asked, found, adapting(network, task, which=asked.which, stage=stage, seed=asked.seed), [])


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

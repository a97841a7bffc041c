"""Questions whose true law is none of those believed in: the agent's model, and the laboratory that answers it.

Three kinds: a law left out of a document; a document whose truth was edited; a laboratory that mixes up its samples.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from domains import randomness
from domains.loading import dump, find, load_text
from domains.worlds import DomainModel, Worlds
from meta_learner.belief import History
from meta_learner.laboratory import Laboratory, Simulation
from meta_learner.streams import stream

DOMAINS = (  # of the catalogue: several laws, cheap to simulate, of several sciences
    "pendulum-damping",
    "reaction-order",
    "memory-decay",
    "enzyme-kinetics",
    "expanding-universe",
    "enzyme-inhibition",
)
MIXED_UP = 0.1  # the share of outcomes that belong to another world


@dataclass(frozen=True)
class Case:
    """believed: what the agent takes for the domain. truth: what happens; it knows the same designs and outcomes.

    mixed_up: the share of outcomes that come from another world. noticeable: whether the truth is none of the laws
    believed in; otherwise an alarm is a false one.
    """

    domain: str
    what: str
    believed: DomainModel
    truth: DomainModel
    mixed_up: float = 0.0
    noticeable: bool = True

    def laboratory(self, seed: int, block: int, runs: int) -> Laboratory:
        """Worlds of the truth, one a run."""
        simulation = Simulation(self.truth, seed=seed, block=block, runs=runs)
        return MixedUp(simulation, self.truth, (seed, block, runs), self.mixed_up) if self.mixed_up else simulation


class MixedUp:
    """A laboratory in which a share of the outcomes belongs to another world: samples that were mixed up."""

    def __init__(self, right: Simulation, model: DomainModel, block: tuple[int, int, int], share: float) -> None:
        seed, index, runs = block
        self.worlds: Worlds | None = right.worlds
        self._right, self._share = right, share
        self._seed, self._block = seed, index
        self._wrong = Simulation(model, seed=seed + 1, block=index, runs=runs)

    def pool(self, history: History) -> None:
        del history

    def perform(self, designs: Tensor, history: History) -> Tensor:
        here = stream(self._seed + 2, self._block, history.steps, "noise")
        wrong = randomness.uniform((len(designs),), here, torch.float32) < self._share
        outcomes = self._right.perform(designs, history)
        return torch.where(wrong[:, None], self._wrong.perform(designs, history), outcomes)


def cases(name: str) -> Iterator[Case]:
    """Of one domain: all laws kept, then each of them left out."""
    domain = find(name)
    whole = DomainModel(domain)
    yield Case(name, "none left out", whole, whole, noticeable=False)
    if len(domain.mechanisms) > 1:
        for law in domain.mechanisms:
            others = tuple(other for other in domain.mechanisms if other is not law)
            believed, truth = replace(domain, mechanisms=others), replace(domain, mechanisms=(law,))
            yield Case(name, f"{law.name} left out", DomainModel(believed), DomainModel(truth))


def constructed() -> Iterator[Case]:
    """Wrong by construction: noise twice as large as the document says, mixed-up samples, a term that is missing."""
    yield _edited("enzyme-inhibition", "noise is twice what the document says", _double_noise)
    whole = DomainModel(find("dose-response"))
    yield Case("dose-response", f"{MIXED_UP:.0%} of the outcomes are another world's", whole, whole, mixed_up=MIXED_UP)
    yield _edited("enzyme-kinetics", "a background of 30 % of vmax is missing", _add_background)


Document = dict[str, Any]


def _edited(name: str, what: str, edit: Callable[[Document], None]) -> Case:
    """The document as it is believed, and edited as the truth."""
    domain = find(name)
    document = copy.deepcopy({key: value for key, value in domain.parsed.items() if key != "replays"})
    edit(document)
    truth = load_text(dump(replace(domain, parsed=document)))
    return Case(name, what, DomainModel(domain), DomainModel(truth))


def _double_noise(document: Document) -> None:
    normal = document["outcomes"]["velocity"]["normal"]
    normal["sd"] = f"2 * ({normal['sd']})"


def _add_background(document: Document) -> None:
    for law in document["mechanisms"].values():
        law["let"]["rate"] = f"0.3 * vmax + {law['let']['rate']}"

"""Organon in a notebook: from a domain to a belief and the next design, with the objects the campaign loop uses.

>>> from orchestrator.investigation import Investigation
>>> question = Investigation("enzyme-kinetics")
>>> design = question.ask()
>>> question.tell(design, {"velocity": 76.0})
>>> print(question.finding())

Experiments already made are given as a table with the export's columns, ``design.substrate`` and ``outcome.velocity``;
without ``ask``, the finding is their analysis:

>>> print(Investigation("enzyme-kinetics", data="measured.csv").finding())
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from domains.document import Domain
from domains.errors import DomainError
from domains.loading import find
from domains.measurements import load_data
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.given import given_experiments
from meta_learner.policies import Choice
from meta_learner.rollout import BlockState, BlockSteps
from meta_learner.stopping import Ended, StoppingRules
from orchestrator import findings
from orchestrator.agents import choose_policy
from orchestrator.errors import RequestError
from orchestrator.laboratories.manual import ManualLaboratory
from orchestrator.policies import open_policy
from orchestrator.recording import belief_rows, outcome_tensor
from orchestrator.requests import campaign_request
from orchestrator.settings import load_settings
from orchestrator.stopping import Stop, check_stop, stop_in_words
from orchestrator.told import told_outcome


class Investigation:
    """One run of a domain, asked and told by hand.

    domain: a catalogue name, a path, or a loaded Domain. policy: a classical one or an agent, the default unless given.
    budget: the document's unless given. Deterministic for a seed.
    data: a CSV file of experiments already made; they are paid for, so that the whole budget is left.
    stop: what ends it before the budget does, such as {"probability": 0.99, "widths": {"km": 0.01}}; batch: how many
    experiments are chosen at a time.
    DomainError or RequestError where there is no such domain or policy, or the budget is not above 0.
    """

    def __init__(
        self,
        domain: str | Path | Domain,
        *,
        policy: str | None = None,
        budget: float | None = None,
        seed: int = 0,
        settings: BeliefSettings | None = None,
        data: str | Path | None = None,
        stop: Stop | Mapping[str, Any] | None = None,
        batch: int = 1,
    ) -> None:
        self.domain = domain if isinstance(domain, Domain) else find(str(domain))
        home = load_settings()
        asked = campaign_request(domain=self.domain.name, stop=Stop() if stop is None else stop, batch=batch)
        by_information = asked.stop.information is not None
        chosen = choose_policy(home, policy, self.domain, by_information=by_information)
        check_stop(self.domain, chosen.name, asked.stop)
        self._stop = asked.stop.model_dump() if asked.stop.asks else None
        self.model = DomainModel(self.domain)
        self._steps = BlockSteps(
            self.model,
            open_policy(home, chosen.name, chosen.weights, self.model),
            ManualLaboratory(),
            budget=_checked(self.domain.budget if budget is None else budget),
            seed=seed,
            block=0,
            settings=settings,
            given=None if data is None else given_experiments(self.model, load_data(self.domain, Path(data))[0]),
            stop=StoppingRules(**(self._stop or {})),
            batch=batch,
        )
        self._state: BlockState = self._steps.begin(1)
        while self._steps.gives(self._state.step):
            self._state = self._steps.turn(self._state)
        self._asked: tuple[Choice, ...] = ()

    def ask(self) -> dict[str, float | str]:
        """The next design; the same one until something is told. DomainError when the investigation has ended."""
        return self.ask_batch()[0]

    def ask_batch(self) -> list[dict[str, float | str]]:
        """The designs of the batch that are still to be told, to be run in any order or at once.

        Telling one of them leaves the others; telling anything else lets the next ``ask`` choose anew.
        """
        if not self._asked:
            self._check_goes_on()
            chosen = self._steps.design(self._steps.hypothesise(self._state))
            self._state = replace(self._state, ended=chosen.ended)
            self._check_goes_on()
            assert chosen.choice is not None
            self._asked = (chosen.choice, *chosen.pending)
        return [self.model.space.to_names(choice.designs[0]) for choice in self._asked]

    @property
    def candidates(self) -> list[tuple[dict[str, float | str], float]]:
        """The leading designs behind the last ``ask``, with their scores, best first."""
        if not self._asked:
            return []
        choice = self._asked[0]
        return [
            (self.model.space.to_names(design), score)
            for design, score in zip(choice.leading[0], choice.scores[0].tolist(), strict=True)
        ]

    def tell(self, design: Mapping[str, float | str], outcome: Mapping[str, float | None]) -> None:
        """What came back at a design, asked for or not. A value of None is missing. DomainError if it cannot be."""
        for given, what in ((design, "design"), (outcome, "outcome")):
            if not isinstance(given, Mapping):
                raise DomainError(f"tell({what}={given!r}): a {what} is a dictionary of names and values")
        point = self.model.space.from_names(design)[None]
        if not bool(self.model.space.feasible(point)[0]):
            raise DomainError(f"the design {dict(design)} breaks a constraint of {self.domain.name}")
        outcomes = outcome_tensor(self.model, [told_outcome(self.domain, outcome)])
        belief = self._steps.absorb(self._state.belief, point, outcomes)
        spent = self._state.spent + self.model.space.cost(point)
        self._asked = _without(self._asked, point)
        self._state = self._steps.decide(replace(self._state, belief=belief, spent=spent, pending=self._asked))

    @property
    def belief(self) -> dict[str, Any]:
        """Mechanism probabilities, parameters per mechanism (mean, sd, 90 % interval), and diagnostics."""
        return belief_rows(self.model, self._state.belief)[0]

    def finding(self) -> str:
        """What is found so far, in words."""
        state = self._state
        content = findings.run_finding(
            self.domain,
            self.belief,
            experiments=state.step,
            cost=state.spent[0].item(),
            given=self._steps.given_rows,
            ended=None if self._ended is Ended.NOT_YET else self._ended.name.lower(),
            stop=self._stop,
        )
        return findings.run_text(self.domain, content)

    @property
    def _ended(self) -> Ended:
        return Ended(int(self._state.ended[0]))

    def _check_goes_on(self) -> None:
        if self._ended is Ended.BUDGET:
            raise DomainError(
                f"the budget of {self._steps.budget:g} is spent ({self._state.spent[0].item():g}); "
                "start the investigation with a larger budget to go on"
            )
        if self._ended is not Ended.NOT_YET:
            assert self._stop is not None
            rules = stop_in_words(self._stop, predicts=self.domain.goal.kind == "predict")
            raise DomainError(f"the investigation has ended: it {rules}; start it with other rules to go on")


def _without(asked: tuple[Choice, ...], point: Tensor) -> tuple[Choice, ...]:
    """What is left of a batch after one of its designs [1, columns]; nothing if that is none of them."""
    told = next((index for index, choice in enumerate(asked) if torch.equal(choice.designs, point)), None)
    return () if told is None else (*asked[:told], *asked[told + 1 :])


def _checked(budget: float) -> float:
    if not 0 < budget < math.inf:
        raise RequestError(f"budget {budget:g}: a run's budget is a finite number above 0; None takes the domain's")
    return budget

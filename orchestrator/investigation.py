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
from numbers import Real
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from domains.document import Domain, Outcome
from domains.errors import DomainError
from domains.loading import find
from domains.measurements import load_data, outcome_fault
from domains.worlds import DomainModel, Worlds
from meta_learner.belief import BeliefSettings, History
from meta_learner.given import given_experiments
from meta_learner.policies import POLICIES, Pool
from meta_learner.rollout import BlockState, BlockSteps
from orchestrator import findings
from orchestrator.errors import RequestError
from orchestrator.recording import belief_rows
from orchestrator.services import BEST_POLICY, check_policy


class _Bench:
    """The laboratory is the person at the notebook: every design is open, outcomes are told."""

    worlds: Worlds | None = None

    def pool(self, history: History) -> Pool | None:
        del history
        return None

    def perform(self, designs: Tensor, history: History) -> Tensor:
        del designs, history
        raise DomainError("a notebook's experiments are run by its reader: use tell(design, outcome)")


class Investigation:
    """One run of a domain, asked and told by hand.

    domain: a catalogue name, a path, or a loaded Domain. budget: the document's unless given. Deterministic for a seed.
    data: a CSV file of experiments already made; they are paid for, so that the whole budget is left.
    DomainError or RequestError where there is no such domain or policy, or the budget is not above 0.
    """

    def __init__(
        self,
        domain: str | Path | Domain,
        *,
        policy: str = BEST_POLICY,
        budget: float | None = None,
        seed: int = 0,
        settings: BeliefSettings | None = None,
        data: str | Path | None = None,
    ) -> None:
        self.domain = domain if isinstance(domain, Domain) else find(str(domain))
        check_policy(policy, self.domain)
        self.model = DomainModel(self.domain)
        self._steps = BlockSteps(
            self.model,
            POLICIES[policy](),
            _Bench(),
            budget=_checked(self.domain.budget if budget is None else budget),
            seed=seed,
            block=0,
            settings=settings,
            given=None if data is None else given_experiments(self.model, load_data(self.domain, Path(data))[0]),
        )
        self._state: BlockState = self._steps.begin(1)
        while self._steps.gives(self._state.step):
            self._state = self._steps.turn(self._state)
        self._asked: BlockState | None = None

    def ask(self) -> dict[str, float | str]:
        """The next design; the same one until something is told. DomainError when the budget is spent."""
        if not bool(self._state.active[0]):
            raise DomainError(
                f"the budget of {self._steps.budget:g} is spent ({self._state.spent[0].item():g}); "
                "start the investigation with a larger budget to go on"
            )
        if self._asked is None:
            self._asked = self._steps.design(self._steps.hypothesise(self._state))
        assert self._asked.choice is not None
        return self.model.space.to_names(self._asked.choice.designs[0])

    @property
    def candidates(self) -> list[tuple[dict[str, float | str], float]]:
        """The leading designs behind the last ``ask``, with their scores, best first."""
        if self._asked is None or self._asked.choice is None:
            return []
        choice = self._asked.choice
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
        values = [_outcome(outcome, name, self.model) for name in self.model.outcome_names]
        outcomes = torch.tensor([values], dtype=torch.float64)
        belief = self._steps.absorb(self._state.belief, point, outcomes)
        spent = self._state.spent + self.model.space.cost(point)
        self._state = self._steps.decide(replace(self._state, belief=belief, spent=spent))
        self._asked = None

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
        )
        return findings.run_text(self.domain, content)


def _checked(budget: float) -> float:
    if not 0 < budget < math.inf:
        raise RequestError(f"budget {budget:g}: a run's budget is a finite number above 0; None takes the domain's")
    return budget


def _outcome(outcome: Mapping[str, float | None], name: str, model: DomainModel) -> float:
    unknown = [key for key in outcome if key not in model.outcome_names]
    if unknown or name not in outcome:
        what = f"unknown {', '.join(unknown)}" if unknown else f"missing {name} (None where nothing came back)"
        raise DomainError(f"an outcome of this domain has the values {', '.join(model.outcome_names)}; {what}")
    value = outcome[name]
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise DomainError(f"outcome {name}: {value!r} is not a finite number; write None where nothing came back")
    wrong = outcome_fault(_outcome_of(model.domain, name), float(value))
    if wrong:
        raise DomainError(f"outcome {name}: {wrong}")
    return float(value)


def _outcome_of(domain: Domain, entry: str) -> Outcome:
    return next(outcome for outcome in domain.outcomes if entry in outcome.entries)

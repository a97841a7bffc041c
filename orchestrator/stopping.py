"""What a campaign may be asked to stop for: checked, and in words. Torch-free; the rules are in meta_learner."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from domains.document import Domain
from orchestrator.errors import RequestError

Width = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SCORING_POLICIES = ("expected-information-gain",)  # whose scores are expected information; no others end by it


class Stop(BaseModel):
    """When a run ends before its budget does. Fields as of ``meta_learner.stopping.StoppingRules``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    probability: float | None = Field(default=None, gt=0, lt=1)
    widths: Mapping[str, Width] = Field(default_factory=dict)
    information: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @property
    def asks(self) -> bool:
        """Whether anything is asked for."""
        return self.probability is not None or bool(self.widths) or self.information is not None


def read_widths(texts: Sequence[str]) -> dict[str, str]:
    """``km=0.01``, one or more, as name → width; RequestError where one is not so written or named twice."""
    widths: dict[str, str] = {}
    for text in texts:
        name, sign, width = (part.strip() for part in text.partition("="))
        if not (name and sign and width):
            raise RequestError(f"--stop-width {text}: write NAME=WIDTH, such as km=0.01")
        if name in widths:
            raise RequestError(f"--stop-width {text}: {name} has a width already, {widths[name]}")
        widths[name] = width
    return widths


def check_stop(domain: Domain, policy: str, stop: Stop) -> None:
    """RequestError where the rules do not fit the domain or the policy."""
    if stop.probability is not None and len(domain.mechanisms) == 1:
        raise RequestError(
            f"--stop-probability {stop.probability:g}: {domain.name} has one law, whose probability is 1 from the "
            "start; ask for the width of a parameter's interval (--stop-width NAME=WIDTH)"
        )
    entries = [entry for parameter in domain.parameters for entry in parameter.entries]
    for name in stop.widths:
        if name not in entries:
            near = difflib.get_close_matches(name, entries, 1, 0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise RequestError(
                f"--stop-width: {domain.name} has no parameter {name!r}; {hint}Its parameters are {', '.join(entries)}"
            )
    if stop.information is not None and policy not in SCORING_POLICIES:
        raise RequestError(
            f"--stop-information {stop.information:g}: the policy {policy} scores no designs by what they "
            f"tell, so that it cannot say when none is worth doing; choose --policy {' or '.join(SCORING_POLICIES)}"
        )


def targets_in_words(stop: Mapping[str, Any]) -> str:
    """The precision that recorded rules ask for, as a condition; empty if they ask for none."""
    wanted = [] if stop["probability"] is None else [f"a law is at least {stop['probability']:g} probable"]
    wanted += [f"the 90 % interval of {name} is at most {width:g} wide" for name, width in stop["widths"].items()]
    return " and ".join(wanted)


def information_in_words(stop: Mapping[str, Any], *, predicts: bool) -> str:
    """The least information that recorded rules ask for, in the unit of the goal; empty if they ask for none."""
    if stop["information"] is None:
        return ""
    unit = "of the predictions' variance" if predicts else "nats"
    return f"{stop['information']:g} {unit} per unit of cost"


def conduct_in_words(settings: Mapping[str, Any], *, predicts: bool) -> list[str]:
    """How the runs of a recorded campaign experiment, where it was asked: ``batches of 4``, ``stops once …``."""
    batch, stop = settings.get("batch", 1), settings.get("stop")  # campaigns of earlier versions do not say
    words = [] if batch == 1 else [f"batches of {batch}"]
    words += ["each experiment approved by a person"] if settings.get("approval") else []
    return words if stop is None else [*words, stop_in_words(stop, predicts=predicts)]


def stop_in_words(stop: Mapping[str, Any], *, predicts: bool) -> str:
    """All that ends a run before its budget does."""
    targets, least = targets_in_words(stop), information_in_words(stop, predicts=predicts)
    parts = [f"once {targets}"] if targets else []
    parts += [f"when no experiment is expected to tell {least}"] if least else []
    return f"stops {', or '.join(parts)}"

"""The scientific check of a domain: do its laws simulate finite numbers over prior and designs?"""

from typing import Any

import torch

from domains.document import Domain
from domains.worlds import DomainModel, Worlds
from meta_learner.streams import stream

_DRAWS = 4000
_ALLOWED_SHARE = 0.01


def check_domain(domain: Domain, model: DomainModel | None = None) -> dict[str, Any]:
    """Simulate each mechanism at prior draws and random designs.

    ``ok`` is false where a mechanism gives NaN or infinity for more than 1 % of the draws.
    """
    model = model or DomainModel(domain)
    designs = model.space.uniform(_DRAWS, stream(0, 0, 0, "design"))
    mechanisms = [_check_mechanism(model, index, designs) for index in range(len(model.mechanisms))]
    return {
        "name": domain.name,
        "identity": domain.identity,
        "ok": all(law["ok"] for law in mechanisms),
        "mechanisms": mechanisms,
    }


def _check_mechanism(model: DomainModel, index: int, designs: torch.Tensor) -> dict[str, Any]:
    law = model.mechanisms[index]
    parameters = law.parameters(law.sample_prior((_DRAWS,), stream(0, 0, index, "world")))
    everywhere = torch.full((_DRAWS,), index)
    worlds = Worlds(everywhere, tuple(parameters if i == index else {} for i in range(len(model.mechanisms))))
    outcomes = model.outcomes(worlds, designs, stream(0, 0, index, "noise"))
    broken = ~outcomes.isfinite().all(-1)
    share = broken.to(torch.float64).mean().item()
    report: dict[str, Any] = {"mechanism": law.name, "ok": share <= _ALLOWED_SHARE, "broken": share, "example": ""}
    if bool(broken.any()):
        first = int(broken.to(torch.uint8).argmax())
        values = {name: value[first].item() for name, value in parameters.items()}
        report["example"] = f"{model.space.to_names(designs[first])} with {values}"
    return report

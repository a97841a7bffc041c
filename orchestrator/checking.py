"""The gate that every campaign passes: do the domain's laws simulate finite numbers over prior and designs?"""

from typing import Any

from domains.document import Domain
from domains.worlds import DomainModel
from meta_learner.examination import ALLOWED_SHARE, draw_prior, example

_DRAWS = 4000
_MOST_DRAWS = 48_000  # over all laws; at least 100 each


def check_finite(domain: Domain, model: DomainModel | None = None) -> dict[str, Any]:
    """Simulate each mechanism at prior draws and random designs.

    ``ok`` is false where a mechanism gives NaN or infinity for more than 1 % of the draws.
    """
    model = model or DomainModel(domain)
    laws = len(model.mechanisms)
    draws = max(100, min(_DRAWS, _MOST_DRAWS // laws))
    mechanisms = [_check_mechanism(model, index, draws) for index in range(laws)]
    return {
        "name": domain.name,
        "identity": domain.identity,
        "ok": all(law["ok"] for law in mechanisms),
        "mechanisms": mechanisms,
    }


def _check_mechanism(model: DomainModel, index: int, count: int) -> dict[str, Any]:
    draws = draw_prior(model, index, count)
    share = draws.broken_share
    return {
        "mechanism": model.mechanisms[index].name,
        "ok": share <= ALLOWED_SHARE,
        "broken": share,
        "example": example(model, draws),
    }

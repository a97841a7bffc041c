"""The gradient of sPCE in the designs themselves, through the simulator: how deep adaptive design is trained.

Foster et al. 2021, section 4.2. With g = sPCE of an episode and a policy without noise of its own:

- pathwise, where every outcome is a smooth transform of its uniform draws: ∇ E[g] = E[∇ g(φ, ε)];
- score, where outcomes are counts or quantiles without a gradient, at the outcomes that came:
  ∇ E[g] = E[∇ g + (g − b) ∇ Σ_t log p(y_t | θ_0, ξ_t)], b the mean over the other episodes.
"""

from typing import Literal

from torch import Tensor

from domains.worlds import DomainModel
from meta_learner.specialists.episodes import Episodes
from meta_learner.specialists.legal import nearest
from meta_learner.specialists.network import Specialist
from meta_learner.specialists.play import newest

Way = Literal["pathwise", "score"]

_SMOOTH = ("normal", "lognormal", "studentt", "exponential", "logitnormal")


def way(model: DomainModel) -> Way | None:
    """How gradients reach the designs of a domain; None where they do not."""
    domain = model.domain
    reached = (
        domain.goal.kind == "learn"
        and not domain.goal.parameters
        and model.simulator is None
        and all(design.kind == "real" for design in domain.designs)
        and not domain.constraints
        and domain.cost is None
        and all(law.dynamics is None for law in domain.mechanisms)
    )
    if not reached:
        return None
    smooth = all(outcome.family in _SMOOTH and outcome.censor is None for outcome in domain.outcomes)
    return "pathwise" if smooth else "score"


def loss(network: Specialist, episodes: Episodes, how: Way) -> Tensor:
    """What has the gradient of −sPCE, of episodes that are played to their end here."""
    space, tokens = episodes.model.space, network.featuriser.start(episodes.remaining[:, 0])
    while bool(episodes.active.any()):
        unit = network.layout.unit(network.latest(tokens).mode())
        designs = nearest(space, unit, episodes.remaining[:, -1])
        episodes.step(designs, reparameterised=how == "pathwise")
        tokens = tokens.append(newest(network, episodes))
    told = episodes.score
    if how == "pathwise":
        return -told.mean()
    fixed = told.detach()
    others = (fixed.sum() - fixed) / (len(fixed) - 1)
    return -(told + (fixed - others) * episodes.truth_terms).mean()

"""Meta-RL families as specialists on histories: each trained on one domain, all by the same loop and rewards.

``build`` a network by its name in the literature, improve it with ``Trainer`` and ``train``, and let ``Specialised``
run campaigns with it.
"""

from meta_learner.specialists.network import Specialist
from meta_learner.specialists.policy import Specialised
from meta_learner.specialists.registry import SPECIALISTS, build, card, from_card
from meta_learner.specialists.training import Progress, Recipe, Trainer, train

__all__ = [
    "SPECIALISTS", "Progress", "Recipe", "Specialised", "Specialist", "Trainer", "build", "card", "from_card", "train",
]  # fmt: skip

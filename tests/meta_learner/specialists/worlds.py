"""Small domains that specialists are tested on."""

from domains.loading import load_text
from domains.worlds import DomainModel
from tests.meta_learner import linear_gaussian
from tests.mixed_domain import MIXED

BOTH = linear_gaussian.TEXT.replace("budget: 8", "budget: 3")
LINE = BOTH.split("  constant:")[0] + BOTH[BOTH.index("outcomes:") :]


def line(goal: str = "learn") -> DomainModel:
    """y ~ N(a + b·x, 0.5²), three experiments."""
    return DomainModel(load_text(LINE.replace("goal: learn", f"goal: {goal}")))


def both(goal: str = "learn") -> DomainModel:
    """A line or a constant, three experiments."""
    return DomainModel(load_text(BOTH.replace("goal: learn", f"goal: {goal}")))


def mixed(goal: str = "learn") -> DomainModel:
    """Every kind of design, a constraint and a cost."""
    return DomainModel(load_text(MIXED.replace("GOAL", goal)))

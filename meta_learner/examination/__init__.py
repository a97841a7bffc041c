"""What is wrong, or wasted, in a domain as a scientific question, found by simulating it before any campaign."""

from meta_learner.examination.examine import Examination, examine
from meta_learner.examination.remarks import Remark
from meta_learner.examination.simulation import ALLOWED_SHARE, PriorDraws, draw_prior, example

__all__ = ["ALLOWED_SHARE", "Examination", "PriorDraws", "Remark", "draw_prior", "examine", "example"]

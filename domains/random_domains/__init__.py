"""Random domains: scientific questions without end, for meta-training and for tests.

A domain is drawn in the way that questions arise: a field with its settings, one law made of the shapes that sciences
use (or a dynamical system), rivals that differ from it in one part, priors, outcomes scaled to what the laws give, and
a goal with costs. The same seed and recipe give the same document in every process. Needs no torch.
"""

from typing import Any

from domains.document import Domain
from domains.random_domains.recipe import Recipe
from domains.reading import Source
from domains.validation import validate

__all__ = ["Recipe", "random_document", "random_domain"]

_DEFAULT = Recipe()


def random_document(seed: int, recipe: Recipe = _DEFAULT) -> dict[str, Any]:
    """The document of a random domain as plain data, as reading its text would give.

    Choices come from Python's ``random.random`` only; scales are computed and written to two digits, so that another
    machine's last bits do not show (but where they lie on the edge of rounding).
    """
    from domains.random_domains import documents  # its scales take scipy, which is slow to import

    return documents.random_document(seed, recipe)


def random_domain(seed: int, recipe: Recipe = _DEFAULT) -> Domain:
    """A random domain, validated like any other; its text is what ``loading.dump`` makes of it."""
    return validate(Source(random_document(seed, recipe), {}, f"random-{seed}", ""))

"""What this version runs of the format: a document may be valid and yet ask for more, and is then refused by name.

To enable a part, add its word to the set below; nothing else in the document layer changes.
"""

from typing import Literal

Part = Literal["design", "prior", "outcome", "goal", "feature"]

RUNS: dict[Part, frozenset[str]] = {
    "design": frozenset({"real", "integer", "levels", "choice"}),
    "prior": frozenset(
        {
            *("normal", "lognormal", "halfnormal", "uniform", "loguniform", "beta", "gamma", "exponential", "studentt"),
            "dirichlet",
        }
    ),  # not yet: categorical poisson
    "outcome": frozenset({"normal", "lognormal", "studentt", "bernoulli", "binomial", "poisson"}),
    # not yet: negative_binomial categorical beta gamma exponential logitnormal
    "goal": frozenset({"learn", "learn: [names]", "discriminate", "predict", "maximise", "minimise"}),
    "feature": frozenset({"cost", "constraints", "exchangeable", "replays", "dynamics"}),  # not yet: truncation censor
}


def refusal(part: Part, word: str) -> str | None:
    """Why this version does not run the part, or None where it does."""
    if word in RUNS[part]:
        return None
    what = f"{word} {'are' if word.endswith('s') else 'is'}" if part == "feature" else f"the {part} {word!r} is"
    runs = f"; it runs {', '.join(sorted(RUNS[part]))}" if part != "feature" else ""
    return f"{what} part of the format but not run by this version yet{runs}"

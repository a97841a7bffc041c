"""How far a belief may differ where only Monte Carlo error is promised, and how far a number that is not drawn.

Two independent estimates of a posterior mean by n effective particles each differ by a normal error of standard
deviation sd √(2/n); of a law's log evidence, by about √(2 stages/n), an error a stage of tempering, of which a step has
a few (``_STAGES``). ``_SIGMAS`` standard deviations are allowed.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

_SIGMAS = 6.0
_STAGES = 4
_FEWEST = 8.0  # effective particles: what diagnostics say of fewer is not to be built on
_RELATIVE = 1e-6  # of simulated outcomes and worlds: rounding, which an integrator may carry on
_NEGLIGIBLE = 1e-4  # a law whose probability is below this in both needs no comparison

Values = tuple[str, Any, Any]  # field, recorded, replayed


def far_numbers(recorded: Any, replayed: Any, path: str) -> Iterator[Values]:
    """The leaves of plain data that differ by more than rounding."""
    for field, one, other in different(recorded, replayed, path):
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
        if not numbers or not math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=1e-9):
            yield field, one, other


def far_beliefs(
    recorded: Mapping[str, Any], replayed: Mapping[str, Any], particles: int, steps: int
) -> Iterator[Values]:
    """What differs by more than Monte Carlo error between two beliefs after so many steps."""
    effective = {law: _effective(law, recorded, replayed, particles) for law in recorded["mechanism_probability"]}
    fewest = min(effective.values())
    error = _SIGMAS * math.sqrt(2.0 * _STAGES * steps / fewest)
    for law, one in recorded["mechanism_probability"].items():
        other = replayed["mechanism_probability"].get(law)
        if other is None or (max(one, other) > _NEGLIGIBLE and abs(_log_odds(one) - _log_odds(other)) > error):
            yield f"belief.mechanism_probability.{law}", one, other
    law = recorded["most_probable"]
    mine, theirs = recorded["mechanisms"][law], replayed["mechanisms"].get(law, {})
    for name in mine.keys() & theirs.keys():
        one, other = mine[name], theirs[name]
        if None in (one["mean"], one["sd"], other["mean"], other["sd"]):
            continue
        allowed = _SIGMAS * max(one["sd"], other["sd"]) * math.sqrt(2.0 / effective[law])
        if abs(one["mean"] - other["mean"]) > allowed + 1e-9 * abs(one["mean"]):
            yield f"belief.mechanisms.{law}.{name}.mean", one["mean"], other["mean"]


def different(recorded: Any, replayed: Any, path: str) -> Iterator[Values]:
    """The leaves of two pieces of plain data that are not the same, each with its path."""
    if isinstance(recorded, dict) and isinstance(replayed, dict):
        for key in sorted(recorded.keys() | replayed.keys()):
            yield from different(recorded.get(key), replayed.get(key), f"{path}.{key}")
    elif isinstance(recorded, list) and isinstance(replayed, list) and len(recorded) == len(replayed):
        for place, (one, other) in enumerate(zip(recorded, replayed, strict=True)):
            yield from different(one, other, f"{path}[{place}]")
    elif recorded != replayed or type(recorded) is not type(replayed):
        yield path, recorded, replayed


def _effective(law: str, one: Mapping[str, Any], other: Mapping[str, Any], particles: int) -> float:
    """The effective particles of a law, as the diagnostics of the worse of two beliefs have them."""
    kinds = ("effective", "distinct")
    shares = [belief["diagnostics"].get(kind, {}).get(law, 1.0) for belief in (one, other) for kind in kinds]
    return max(_FEWEST, particles * min(shares))


def _log_odds(probability: float) -> float:
    held = min(max(probability, _NEGLIGIBLE), 1.0 - _NEGLIGIBLE)
    return math.log(held / (1.0 - held))

"""Agents in words: their cards for people to read."""

from collections.abc import Iterator
from typing import Any

from meta_learner.agents.card import GREEDY, Card, HeldOut
from meta_learner.agents.standing import on_domains, pooled, shortfalls
from meta_learner.agents.store import Stored

_CURVE_POINTS = 6
RESULT_COLUMNS = ("domain", "goal", "beside", "runs", "gain", "its gain", "difference", "95 %", "ms/decision")
_GAINS = {
    "sACE": "nats about the hypothesis (sACE)",
    "law": "nats about the true law",
    "score": "the share of what there was to gain",
}


def size(bytes_: int) -> str:
    """``412 KB``, ``9.5 MB``."""
    return f"{bytes_ / 1e6:.1f} MB" if bytes_ >= 1e6 else f"{bytes_ / 1e3:.0f} KB"


def heading(stored: Stored) -> Iterator[str]:
    """Everything on a card but its results."""
    card, training = stored.card, stored.card.training
    yield f"{card.name}: {card.family}, {size(card.weights.bytes)}, weights {card.weights.sha256[:12]}"
    yield f"lies in {stored.folder}" + (" (shipped)" if stored.shipped else "")
    yield f"options: {_pairs(card.options)}"
    yield f"goals: {', '.join(card.goals) or 'none: it plays games on tables only'}"
    if card.domains:
        yield f"a specialist for {', '.join(document.name for document in card.domains)}"
    yield f"recipe: {_pairs(card.recipe)}"
    yield f"trained on {'; '.join(training.tasks) or 'nothing'}"
    if training.domains:
        yield f"trained on the documents {', '.join(document.name for document in training.domains)}"
    yield (
        f"{training.steps:,} steps, {training.episodes:,} episodes, {training.experiments:,} experiments, "
        f"{training.seconds:,.0f} s on {training.hardware or 'hardware not told'}, {training.date or 'date not told'}, "
        f"commit {training.commit or 'not told'}"
    )
    if training.curve:
        points = training.curve[:: max(1, len(training.curve) // _CURVE_POINTS)]
        yield f"{training.curve_of or 'curve'}: " + ", ".join(f"{value:.4g} at {step:,}" for step, value in points)
    yield f"limits: {card.limits or 'none told'}"


def standing(card: Card) -> Iterator[str]:
    """How it stands beside greedy."""
    ratio = pooled(on_domains(card))
    if ratio is not None:
        yield f"pooled: {ratio.value:.3f} of what {GREEDY} gains (95 %: {ratio.low:.3f} to {ratio.high:.3f})"
    lacking = shortfalls(card)
    yield f"at least as good as {GREEDY}: {'yes' if not lacking else 'not shown'}"
    yield from (f"  {each}" for each in lacking)


def result_row(result: HeldOut) -> list[object]:
    """A held-out result as a row of the table."""
    low, high = result.interval
    return [
        result.domain.name,
        result.goal,
        result.against,
        result.runs,
        f"{result.gain:.3f}",
        f"{result.other_gain:.3f}",
        f"{result.difference:+.3f} ± {result.standard_error:.3f}",
        f"{low:+.3f} to {high:+.3f}",
        f"{result.decision_ms:.3g} ({result.other_decision_ms:.3g})",
    ]


def gain_in_words(result: HeldOut) -> str:
    """What the gains are, and how many experiments were made for them."""
    return (
        f"gain: {_GAINS[result.measure]}; a run makes {result.experiments:.1f} experiments, and "
        f"{result.other_experiments:.1f} by {result.against}"
    )


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "none"

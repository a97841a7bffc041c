"""The document of a seed: draft a question, give it priors, look at what it gives, and scale outcomes to that."""

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.errors import DomainError
from domains.random_domains import goals, outcomes, priors, questions
from domains.random_domains.algebraic import algebraic
from domains.random_domains.draw import Draw, figures
from domains.random_domains.dynamic import dynamic
from domains.random_domains.outcomes import Signal, Spread
from domains.random_domains.preview import Environment, look
from domains.random_domains.priors import Knowledge, Quantity
from domains.random_domains.questions import Question
from domains.random_domains.recipe import Recipe

_ATTEMPTS = 200
_APART = 0.02  # of the spread: how far two laws must be apart on the same draws, root mean square

Latents = list[list[NDArray[np.float64]]]


def random_document(seed: int, recipe: Recipe) -> dict[str, Any]:
    """The document of (seed, recipe) as plain data; drafts whose laws are flat, broken or alike are drawn again."""
    if seed < 0:
        raise DomainError(f"a random domain's seed is {seed}; seeds are whole numbers >= 0")
    for attempt in range(_ATTEMPTS):
        document = _attempt(Draw(f"{seed}/{attempt}"), recipe, seed)
        if document is not None:
            return document
    raise DomainError(f"no domain of seed {seed} fits the recipe in {_ATTEMPTS} attempts; widen the recipe")


def _attempt(draw: Draw, recipe: Recipe, seed: int) -> dict[str, Any] | None:
    families = outcomes.families(draw, recipe)
    how = dynamic if draw.chance(recipe.chance("dynamics")) else algebraic
    question = how(
        draw,
        recipe,
        signed=all(family in outcomes.SIGNED for family in families),
        repeats=any(family in outcomes.REPEATABLE for family in families),
    )
    level = draw.log_between(*recipe.noise)
    quantities = dict(question.quantities)
    noisy = any(family in outcomes.NOISY for family in families)
    if noisy and draw.chance(recipe.chance("unknown noise")):
        quantities["noise"] = Quantity("noise", "scale", figures(level), 0.4)
    used = [question.used(law) | ({"noise"} & quantities.keys()) for law in question.body]
    unknown = priors.choose_unknown(draw, recipe, quantities, used)
    if not all(law & unknown for law in used):
        return None
    known = priors.know(draw, recipe, quantities, unknown)
    draft = _draft(draw, recipe, question, known)
    found, designs = look(draft, tuple(latent.text for latent in question.latents))
    spreads = [outcomes.spread(np.concatenate([law[i] for law in found])) for i in range(len(question.latents))]
    if spreads[0] is None or not _differ(found, spreads[0]):
        return None
    measured = [(question.latents[i], one) for i, one in enumerate(spreads) if one is not None]
    draft["outcomes"] = _outcomes(draw, recipe, question, families, (measured, known, level))
    return _finished(draw, recipe, question, draft, (seed, designs, spreads[0]))


def _draft(draw: Draw, recipe: Recipe, question: Question, known: Knowledge) -> dict[str, Any]:
    """Designs, parameters and laws. What every law uses is shared, and so is what a shared prior depends on."""
    mechanisms = {name: questions.filled(body, known.written) for name, body in question.body.items()}
    needs = {name: _needs(question, known, name) for name in question.body}
    shared = {
        name
        for name in known.entries
        if name == known.names.get("noise") or all(name in need for need in needs.values())
    }
    weighted = len(mechanisms) > 1 and draw.chance(recipe.chance("weights"))
    for index, (name, need) in enumerate(needs.items()):
        own = {key: known.entries[key] for key in known.entries if key in need and key not in shared}
        if own:
            mechanisms[name] = {"parameters": own, **mechanisms[name]}
        if weighted and (index == 0 or draw.chance(0.3)):
            mechanisms[name] = {"weight": draw.one((2, 3, 0.5)), **mechanisms[name]}
    return {
        "designs": {setting.name: setting.entry for setting in question.designs},
        "parameters": {name: entry for name, entry in known.entries.items() if name in shared},
        "mechanisms": mechanisms,
    }


def _needs(question: Question, known: Knowledge, law: str) -> set[str]:
    """The names of the document that a law needs: those it uses, and those that their priors use."""
    names = {known.names[part] for part in questions.placeholders(question.body[law])}
    for name in reversed(known.entries):  # a prior depends on earlier entries only
        entry = known.entries[name]
        if name in names and isinstance(entry, dict):
            texts = [a for arguments in entry["prior"].values() if isinstance(arguments, list) for a in arguments]
            names |= {
                other for other in known.entries for text in texts if isinstance(text, str) and other in _words(text)
            }
    return names


def _words(text: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())


def _differ(found: Latents, spread: Spread) -> bool:
    """Whether every two laws differ on the same draws."""
    width = spread.width
    pairs = combinations([law[0] for law in found], 2)
    return all(float(np.sqrt(np.mean(np.square(np.clip(a - b, -width, width))))) > _APART * width for a, b in pairs)


def _outcomes(
    draw: Draw, recipe: Recipe, question: Question, families: tuple[str, ...], scaled: tuple[Any, Knowledge, float]
) -> dict[str, Any]:
    """What comes back: one outcome a family; a second one may measure another latent value."""
    measured, known, level = scaled
    entries: dict[str, Any] = {}
    taken = {*known.entries, *(one.name for one in question.designs), *(latent.name for latent in question.latents)}
    for index, family in enumerate(families):
        latent, spread = measured[index % len(measured)]
        noise = known.written.get("noise", str(figures(level)))
        repeats = question.effort.name if question.effort else ""
        signal = Signal(latent.text, spread, noise, level, repeats, latent.signed)
        name = outcomes.outcome_name(latent, family, taken | entries.keys())
        entries[name] = outcomes.outcome(draw, recipe, family, signal)
    return entries


def _finished(
    draw: Draw, recipe: Recipe, question: Question, draft: dict[str, Any], seen: tuple[int, Environment, Spread]
) -> dict[str, Any]:
    """The whole document in the usual order of keys."""
    seed, designs, spread = seen
    price = goals.cost(draw, recipe, question)
    conditions = goals.constraints(draw, recipe, question, designs)
    wanted = goals.goal(draw, recipe, question, draft, spread)
    groups = question.exchangeable
    swappable = bool(groups) and {name for group in groups for name in group} <= _unknown(draft)
    return {
        "format": 1,
        "name": f"random-{seed}",
        "title": _title(question),
        "field": question.field,
        "summary": _summary(draft),
        "designs": draft["designs"],
        **({"constraints": conditions} if conditions else {}),
        "parameters": draft["parameters"],
        **({"exchangeable": groups} if swappable else {}),
        "mechanisms": draft["mechanisms"],
        "outcomes": draft["outcomes"],
        **({} if price is None else {"cost": price}),
        "budget": goals.budget(draw, recipe, price, designs),
        "goal": wanted,
    }


def _unknown(draft: dict[str, Any]) -> set[str]:
    """The names of everything unknown in any law."""
    sections = [draft["parameters"], *(law.get("parameters", {}) for law in draft["mechanisms"].values())]
    return {name for section in sections for name, entry in section.items() if isinstance(entry, dict)}


def _title(question: Question) -> str:
    words = [one.name.replace("_", " ") for one in question.settings]
    about = question.about.replace("_", " ")
    if not words:
        return f"Which law does {about} follow?"
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"How does {about} depend on {listed}?"


def _summary(draft: dict[str, Any]) -> str:
    laws = [name.replace("-", " ") for name in draft["mechanisms"]]
    count = Counter(key for law in draft["mechanisms"].values() for key in law)["dynamics"]
    what = "dynamical law" if count else "law"
    if len(laws) == 1:
        return f"The {what} is known ({laws[0]}); its parameters are not."
    return f"{len(laws)} rival {what}s: {'; '.join(laws)}."

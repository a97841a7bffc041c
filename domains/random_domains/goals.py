"""What is wanted, what experiments cost, which are allowed, and what the budget is."""

from typing import Any

import numpy as np

from domains.random_domains.designs import Setting
from domains.random_domains.draw import Draw, figures
from domains.random_domains.outcomes import Spread
from domains.random_domains.preview import Environment, compiled
from domains.random_domains.questions import Question
from domains.random_domains.recipe import Recipe


def cost(draw: Draw, recipe: Recipe, question: Question) -> str | float | None:
    """What an experiment costs: constant, or more for repeats, for some options, or toward one end of a range."""
    if not draw.chance(recipe.chance("cost")):
        return None
    terms = [_price(draw, one) for one in question.designs if one is question.effort or draw.chance(0.4)]
    if not terms:
        return draw.one((0.5, 2, 5))
    return " + ".join(["1", *terms])


def _price(draw: Draw, setting: Setting) -> str:
    if setting.kind == "choice":
        return f"where({setting.name} == '{draw.one(setting.options)}', {draw.one((0.5, 1, 2, 4))}, 0)"
    if setting.low == 1 and setting.kind == "integer":
        return f"{draw.one((0.1, 0.2, 0.5, 1))} * ({setting.name} - 1)"
    slope = figures(draw.one((0.5, 1, 2)) / setting.width)
    low = figures(setting.low, 3)
    shifted = setting.name if low == 0 else f"({setting.name} {'-' if low > 0 else '+'} {abs(low)})"
    return f"{slope} * {shifted}"


def constraints(draw: Draw, recipe: Recipe, question: Question, designs: Environment) -> list[str]:
    """A bound on what can be set together, which 30 to 90 % of designs satisfy; at times none."""
    numeric = [one for one in question.designs if one.kind != "choice"]
    choices = [one for one in question.designs if one.kind == "choice"]
    if not numeric or len(question.designs) < 2 or not draw.chance(recipe.chance("constraints")):
        return []
    first, *rest = draw.shuffled(numeric)
    if rest:
        weight = figures(first.width / rest[0].width)
        joined = f"{first.name} + {weight} * {rest[0].name}"
        limit = figures(np.quantile(compiled(joined)(designs), draw.between(0.5, 0.8)).item(), 3)
        condition = f"{joined} <= {limit}"
    else:
        limit = figures(first.low + 0.6 * first.width, 3)
        option = draw.one(choices[0].options)
        bound = f"where({choices[0].name} == '{option}', {limit}, {figures(first.high, 3)})"
        condition = f"{first.name} <= {bound}"
    share = np.mean(compiled(condition)(designs))
    return [condition] if 0.3 <= share <= 0.95 else []


def budget(draw: Draw, recipe: Recipe, price: str | float | None, designs: Environment) -> float:
    """Enough for as many average experiments as the recipe says."""
    count = max(1, round(draw.log_between(*recipe.experiments)))
    if price is None:
        return count
    average = float(np.mean(compiled(price)(designs)))
    most = float(np.max(compiled(price)(designs)))
    return max(figures(count * average, 2), figures(most * 1.1, 2))


def goal(draw: Draw, recipe: Recipe, question: Question, document: dict[str, Any], spread: Spread) -> Any:
    """A goal that the document allows."""
    common = [name for name, entry in document["parameters"].items() if isinstance(entry, dict)]
    points = [name for name, entry in document["outcomes"].items() if "categorical" not in entry]
    possible = {
        "learn": True,
        "learn: [names]": bool(common),
        "discriminate": len(document["mechanisms"]) > 1,
        "predict": bool(points),
        "maximise": True,
        "minimise": True,
    }
    kind = draw.pick({kind: weight for kind, weight in recipe.goals.items() if possible[kind]})
    if kind == "learn: [names]":
        return {"learn": draw.some(common, draw.whole(1, max(1, len(common) - 1)))}
    if kind == "predict":
        return {"predict": {draw.one(points): [_point(draw, question) for _ in range(draw.whole(1, 6))]}}
    if kind in ("maximise", "minimise"):
        return {kind: _objective(draw, question, kind, spread)}
    return kind


def _point(draw: Draw, question: Question) -> dict[str, Any]:
    return {setting.name: _value(draw, setting) for setting in question.designs}


def _value(draw: Draw, setting: Setting) -> Any:
    """A value of a setting; of a real one at times a little above its range."""
    if setting.kind in ("choice", "levels"):
        return draw.one(setting.entry[setting.kind])
    if setting.kind == "integer":
        return draw.whole(*setting.entry["integer"])
    return figures(draw.between(setting.low, setting.high + 0.15 * setting.width), 3)


def _objective(draw: Draw, question: Question, kind: str, spread: Spread) -> str:
    """A latent value, or what is left of it after paying for a setting."""
    latent = question.latents[0]
    value = latent.text if not latent.times else draw.one((f"{latent.text}[{latent.times - 1}]", f"sum({latent.text})"))
    paid = [one for one in question.settings if one.kind != "choice" and one.low >= 0]
    if not paid or draw.chance(0.5):
        return value
    one = draw.one(paid)
    price = figures(draw.between(0.3, 1) * spread.width / one.width)
    return f"{value} {'-' if kind == 'maximise' else '+'} {price} * {one.name}"

"""Questions about closed formulas."""

from domains.random_domains import forms, laws
from domains.random_domains.designs import effort, setting
from domains.random_domains.draw import Draw
from domains.random_domains.laws import Factor, Ground, Law
from domains.random_domains.questions import Latent, Question, choices, law_names, question_kinds
from domains.random_domains.recipe import Recipe
from domains.random_domains.shapes import ROLES, SOURCES
from domains.random_domains.themes import THEMES, Theme


def algebraic(draw: Draw, recipe: Recipe, *, signed: bool, repeats: bool) -> Question:
    """A question about closed formulas. signed: whether outcomes can take negative values; repeats: whether a number of
    repeats would change any."""
    kinds = question_kinds(draw, recipe, repeats=repeats)
    source = bool(kinds.numeric) and draw.chance(recipe.chance("source"))
    fitting = [theme for theme in THEMES if not source or "plane source" in theme.names]
    theme = draw.one(fitting)
    factors = _factors(draw, recipe, theme, kinds.numeric, source=source)
    options = choices(draw, kinds.choices, (theme.choice, theme.options))
    scale = draw.one((1.0, 2.0, 5.0, 10.0, 30.0, 100.0))
    ground = Ground(factors, options, signed, scale)
    preference = forms.preference(len(factors))
    first = laws.first_law(draw, ground, draw.pick(preference))
    rivals = laws.rivals(draw, ground, draw.pick(recipe.mechanisms), first, tuple(preference))
    names = law_names(ground, rivals)
    body = {
        name: {"let": forms.let(draw, ground, law, theme.response)} for name, law in zip(names, rivals, strict=True)
    }
    return Question(
        theme.field,
        (*(one for factor in factors for one in factor.settings), *options),
        effort(draw, theme.effort) if kinds.effort else None,
        body,
        ground.quantities,
        (Latent(theme.response, theme.response, _signed(rivals)),),
        ground.exchangeable(),
        theme.response,
    )


def _signed(rivals: list[Law]) -> bool:
    return any(shape is not None and shape.signed for law in rivals for shape in law.shapes)


def _factors(draw: Draw, recipe: Recipe, theme: Theme, numeric: tuple[str, ...], *, source: bool) -> tuple[Factor, ...]:
    """Factors for numeric designs of the given kinds; a source takes one or two of them."""
    left = list(numeric)
    factors = []
    if source:
        places = 2 if len(left) > 1 and draw.chance(0.7) else 1
        role = SOURCES[places, draw.chance(recipe.chance("exchangeable"))]
        names = theme.names["plane source"] if places == 2 else theme.names.get("line source", ("location",))
        factors.append(Factor(role, tuple(setting(draw, name, left.pop(0), "line") for name in names[:places])))
    free = [(role, name) for role, names in theme.names.items() if "source" not in role for name in names]
    for role, name in _spread_roles(draw.shuffled(free))[: len(left)]:
        factors.append(Factor(role, (setting(draw, name, left.pop(0), ROLES[role].span),)))
    return tuple(factors)


def _spread_roles(free: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Different roles before a second setting of the same role."""
    first = {role: (role, name) for role, name in reversed(free)}
    leading = [one for one in free if first[one[0]] == one]
    return [*leading, *(one for one in free if one not in leading)]

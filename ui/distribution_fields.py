"""The fields of the form of a task distribution: what each is, its widget, and how the one becomes the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from orchestrator import services

Kind = Literal["text", "number", "share", "whole", "range", "whole range", "choices", "wholes", "numbers", "weights"]
_STEP = 0.05


@dataclass(frozen=True)
class Field:
    """A key of a part. default: what it is where it is left out; options: what can be chosen; under: the key of the
    recipe's part that it stands in, where it does."""

    name: str
    kind: Kind
    label: str
    help: str
    default: Any
    options: tuple[str, ...] = ()
    under: str = ""

    @property
    def path(self) -> tuple[str | int, ...]:
        return (self.under, self.name) if self.under else (self.name,)


_WEIGHT = Field("weight", "number", "Weight", "How often it is drawn, relative to the other parts.", 1.0)
_SHIFT = Field(
    "shift", "range", "Shift", "How far worlds may lie from the middle of the prior, beyond what it expects, in its "
    "standard deviations: 0 to 0 for worlds as the documents say, 0 to 2 to be ready for surprises.", (0.0, 0.0),
)  # fmt: skip
_HORIZON = Field("experiments", "whole", "Horizon", "The most experiments that a budget pays for.", 12)
OF_RECIPE = (
    Field("name", "text", "Name", "Small letters, digits and hyphens. Another name makes another distribution.", ""),
    Field("summary", "text", "Summary", "What it is for; it stands on the cards of its agents.", ""),
)
OF_TABLES = (
    _WEIGHT,
    Field("kinds", "choices", "Kinds", "flat: any outcome under any hypothesis; ordered: thresholds on a line; rare: "
          "designs that say something of a few hypotheses.", ("flat", "ordered", "rare"), ("flat", "ordered", "rare")),
    Field("goals", "choices", "Goals", "What the games are played for; certainty: to have one target as probable "
          "as asked for, at the least cost.", ("information", "decision", "prediction"),
          ("information", "decision", "prediction", "certainty")),
    Field("experiments", "wholes", "Horizons", "How many experiments a budget pays for; several, by commas.", (2, 3)),
    Field("hypotheses", "wholes", "Hypotheses", "How many; several sizes, by commas.", (12,)),
    Field("designs", "wholes", "Designs", "How many; several sizes, by commas.", (5,)),
    Field("outcomes", "wholes", "Outcomes", "How many; several sizes, by commas.", (2, 3)),
    Field("dear", "numbers", "Spread of costs", "Standard deviation of the logarithm of costs; 0: all cost alike.",
          (0.0, 0.5)),
    Field("ahead", "whole", "Teacher's look-ahead", "In experiments, 1 to 4; each more takes many times as long.", 2),
)  # fmt: skip
OF_RANDOM_DOMAINS = (
    _WEIGHT,
    Field("seeds", "whole range", "Seeds", "Each seed is a domain, from the first to before the second.", (0, 400)),
    _SHIFT,
    Field("noise", "range", "Noise", "Of outcomes, relative to the signal's spread.", (0.03, 0.4)),
    _HORIZON,
    Field(
        "goals",
        "weights",
        "Goals",
        "Their weights, as learn=3, maximise=1; of learn, discriminate, predict, "
        "maximise, minimise. Empty for the usual mix.",
        {},
    ),
    Field("dynamics", "share", "Share with differential equations", "They take most of the time.", 0.0),
    Field(
        "certain",
        "share",
        "Share to be sure",
        "Of questions about laws, those that ask to be sure of one at the least cost.",
        0.0,
    ),
)
OF_DOMAINS = (
    _WEIGHT,
    Field("names", "choices", "Domains", "Of the catalogue; each as likely.", (), tuple(services.domain_names())),
    _SHIFT,
    _HORIZON,
)
OF_STAGES = (
    Field("steps", "whole", "Steps that imitate look-ahead", "Updates of the network.", 0, under="imitate"),
    Field("batch", "whole", "Games a step", "More make each step surer and slower.", 32, under="imitate"),
    Field("steps", "whole", "Steps that improve on it", "By policy gradient, on random tables.", 0, under="improve"),
    Field("curriculum", "share", "Curriculum", "How much of what comes next goes by learning progress.", 0.0),
    Field("seed", "whole", "Seed", "Same seed, same weights.", 0),
)


def show_widget(field: Field, key: str, value: Any, *, on_change: Callable[[], None]) -> None:
    """The field with what stands in the text, or its default; what cannot be shown is left to the document."""
    if field.kind in ("range", "whole range"):
        _range(field, key, value, on_change)
        return
    st.session_state[key] = _shown(field, value)
    common: dict[str, Any] = {"key": key, "on_change": on_change, "help": field.help}
    if field.kind in ("number", "share"):
        st.number_input(field.label, min_value=0.0, step=_STEP, **common)
    elif field.kind == "whole":
        st.number_input(field.label, min_value=0, step=1, **common)
    elif field.kind == "choices":
        options = dict.fromkeys([*field.options, *st.session_state[key]])
        st.multiselect(field.label, list(options), **common)
    else:
        st.text_input(field.label, **common)


def read_widget(field: Field, key: str) -> Any:
    """The value to be written; None where what was typed is none yet."""
    if field.kind in ("range", "whole range"):
        return [st.session_state[f"{key}.low"], st.session_state[f"{key}.high"]]
    value = st.session_state[key]
    if field.kind in ("wholes", "numbers"):
        return _listed(str(value), int if field.kind == "wholes" else float)
    if field.kind == "weights":
        return _weighed(str(value))
    return list(value) if field.kind == "choices" else value


def _range(field: Field, key: str, value: Any, on_change: Callable[[], None]) -> None:
    whole = field.kind == "whole range"
    ends = value if isinstance(value, list) and len(value) == 2 else list(field.default)
    step: Any = 1 if whole else _STEP
    for end, name, column in zip(ends, ("low", "high"), st.columns(2), strict=True):
        given = end if _is_number(end) else field.default[name == "high"]
        st.session_state[f"{key}.{name}"] = max(0, int(given)) if whole else max(0.0, float(given))
        with column:
            st.number_input(
                f"{field.label}, {'from' if name == 'low' else 'to'}", min_value=0 if whole else 0.0, step=step,
                key=f"{key}.{name}", on_change=on_change, help=field.help,
            )  # fmt: skip


def _shown(field: Field, value: Any) -> Any:
    """What the widget can hold: the value if it is of that kind, else the default."""
    if field.kind in ("number", "share"):
        return max(0.0, float(value if _is_number(value) else field.default))
    if field.kind == "whole":
        return max(0, int(value if _is_number(value) else field.default))
    if field.kind == "choices":
        return [str(each) for each in (value if isinstance(value, list) else field.default)]
    if field.kind in ("wholes", "numbers"):
        return ", ".join(_plain(each) for each in _as_list(value, field.default))
    if field.kind == "weights":
        weights = value if isinstance(value, Mapping) else field.default
        return ", ".join(f"{name}={_plain(weight)}" for name, weight in weights.items())
    return str(value) if value is not None else field.default


def _as_list(value: Any, default: Any) -> list[Any]:
    return value if isinstance(value, list) else list(default)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> str:
    return f"{value:g}" if _is_number(value) else str(value)


def _weighed(text: str) -> dict[str, Any]:
    """``learn=3, maximise=1``; a name alone counts 1, and a weight that is no number stays as it was typed."""
    found = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, weight = part.partition("=")
        found[name.strip()] = _listed(weight or "1", float)[0] if weight.strip() or "=" not in part else weight
    return found


def _listed(text: str, kind: Callable[[str], float]) -> list[Any]:
    """Numbers by commas; what is none stays as it was typed, so that the document shows it and says what is wrong."""
    found: list[Any] = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        try:
            found.append(kind(part))
        except ValueError:
            found.append(part)
    return found

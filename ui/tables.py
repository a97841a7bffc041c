"""Columns of tables of designs and outcomes: names with units, numbers with sensible digits."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ui.quantities import Quantities

_NUMBER = "%.4g"


def columns(rows: Sequence[Mapping[str, Any]], named: Quantities) -> dict[str, Any]:
    """A heading with its unit for each column ``design.NAME`` or ``outcome.NAME``, and four digits for numbers."""
    return {key: _column(heading(key, named), [row.get(key) for row in rows]) for key in rows[0]}


def heading(key: str, named: Quantities) -> str:
    """What stands above a column."""
    kind, _, name = key.partition(".")
    if not name:
        return key
    return named.design(name).heading if kind == "design" else named.outcome(name).heading


def _column(title: str, values: Sequence[object]) -> Any:
    if any(isinstance(value, float) for value in values):
        return st.column_config.NumberColumn(title, format=_NUMBER)
    return st.column_config.Column(title)

"""Fields for what is set and what came back: with units, allowed values, and what is wrong said below each."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from domains.document import Design, Domain
from domains.wording import allowed
from orchestrator.told import outcome_wrong, setting_wrong
from ui.wording import plain


def design_fields(domain: Domain, values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A design to write, which begins as ``values``."""
    written = {}
    for design in domain.designs:
        written[design.name] = value = _setting(design, values[design.name], f"{key}.{design.name}")
        if value is None:
            _wrong(f"{design.name}: write a value; allowed are {allowed(design)}")
        elif wrong := setting_wrong(domain, design.name, value):
            _wrong(wrong)
    return written


def outcome_fields(domain: Domain, values: Mapping[str, float | None], key: str) -> dict[str, float | None]:
    """What came back, to write; an empty field is a value that did not come back."""
    written: dict[str, float | None] = {}
    for outcome in domain.outcomes:
        for entry in outcome.entries:
            value = st.number_input(
                _label(entry, outcome.unit), value=values.get(entry), format="%.6g", key=f"{key}.{entry}",
                help=f"{outcome.label or entry}. Leave it empty where nothing came back.",
            )  # fmt: skip
            if value is not None and (wrong := outcome_wrong(domain, entry, value)):
                _wrong(wrong)
            written[entry] = value
    return written


def _setting(design: Design, value: Any, key: str) -> Any:
    label, told = _label(design.name, design.unit), f"{design.label or design.name}: {allowed(design)}"
    if design.kind in ("choice", "levels"):
        options = list(design.options or design.values)
        return st.selectbox(label, options, options.index(value) if value in options else 0, key=key, help=told)
    if design.kind == "integer":
        return st.number_input(label, value=int(value), step=1, key=key, help=told)
    return st.number_input(label, value=float(value), format="%.6g", key=key, help=told)


def _label(name: str, unit: str) -> str:
    return plain(f"{name} ({unit})" if unit else name)


def _wrong(words: str) -> None:
    st.caption(f":red[{plain(words)}]")

"""What a domain leaves unknown, each prior drawn and in words."""

import streamlit as st

from domains import wording
from domains.document import Domain, Parameter
from domains.prior_density import density
from ui.figure_style import CHART
from ui.prior_figure import prior_figure
from ui.quantities import Quantity
from ui.wording import counted, plain

_ACROSS = 3
_DRAWN = 24  # of more unknowns, as many at first


def show_unknowns(domain: Domain) -> None:
    """Every unknown of any law with its prior's density."""
    st.subheader("What is unknown, before any experiment")
    owners = _owners(domain)
    unknowns = list(domain.parameters)
    if not unknowns:
        st.caption("Nothing but which law holds: every number is known.")
        return
    _grid(domain, unknowns[:_DRAWN], owners)
    rest = unknowns[_DRAWN:]
    if rest and st.toggle(f"Draw the other {counted(len(rest), 'unknown')} too", key="domain.more_unknowns"):
        _grid(domain, rest, owners)


def _owners(domain: Domain) -> dict[str, list[str]]:
    """The laws that have each unknown, where not all do."""
    having: dict[str, list[str]] = {}
    for mechanism in domain.mechanisms:
        for parameter in mechanism.unknowns:
            having.setdefault(parameter.name, []).append(mechanism.name)
    return {name: laws for name, laws in having.items() if len(laws) < len(domain.mechanisms)}


def _grid(domain: Domain, unknowns: list[Parameter], owners: dict[str, list[str]]) -> None:
    for start in range(0, len(unknowns), _ACROSS):
        for column, parameter in zip(st.columns(_ACROSS), unknowns[start : start + _ACROSS], strict=False):
            with column.container(border=True):
                _unknown(domain, parameter, owners.get(parameter.name, []))


def _unknown(domain: Domain, parameter: Parameter, laws: list[str]) -> None:
    mechanism = next(m for m in domain.mechanisms if parameter in m.unknowns)
    constants = wording.constants(mechanism)
    st.markdown(f"**{plain(Quantity(parameter.name, parameter.unit, parameter.label).described)}**")
    draw_prior(parameter, constants)
    st.caption(plain(in_words(parameter, constants)))
    if laws:
        more = ", …" if len(laws) > 3 else ""
        st.caption(plain(f"only in {', '.join(laws[:3])}{more}"))


def draw_prior(parameter: Parameter, constants: dict[str, float], key: str = "") -> None:
    """The density of a prior; in its place a word where it depends on other unknowns. key: of the figure."""
    curves = density(parameter, constants)
    if not curves:
        st.caption("Its prior depends on other unknowns, so it has no one curve.")
        return
    figure = prior_figure(Quantity(parameter.name, parameter.unit).heading, curves)
    st.plotly_chart(figure, width="stretch", config=CHART, key=f"prior.{key or parameter.name}")


def in_words(parameter: Parameter, constants: dict[str, float]) -> str:
    """``LogNormal(0, 0.8); median 1, nine times in ten 0.268 to 3.73``."""
    assert parameter.prior is not None
    family, spread = wording.family(parameter.prior), wording.spread(parameter, constants)
    median, bracket, range_ = spread.partition(" (")
    unit = f" {parameter.unit}" if parameter.unit else ""
    return f"{family}; median {median}{unit}, nine times in ten {range_[:-1]}" if bracket else f"{family}; {spread}"

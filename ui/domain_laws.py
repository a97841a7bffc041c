"""A domain's rival laws and what comes back, as mathematics."""

from dataclasses import replace

import streamlit as st

from domains import latex, wording
from domains.document import Domain, Mechanism
from ui.wording import number, plain

_LAWS = 12  # written out; of more, as many


def show_laws(domain: Domain) -> None:
    """What all laws share, then each law with its prior probability."""
    st.subheader("The rival laws" if len(domain.mechanisms) > 1 else "The law")
    _shared(domain)
    total = sum(mechanism.weight for mechanism in domain.mechanisms)
    for mechanism in domain.mechanisms[:_LAWS]:
        with st.container(border=True):
            odds = f", before any experiment {number(100 * mechanism.weight / total)} % probable"
            st.markdown(f"**{plain(mechanism.name)}**{odds if len(domain.mechanisms) > 1 else ''}")
            if mechanism.label:
                st.markdown(plain(mechanism.label))
            _law(domain, mechanism)
    if len(domain.mechanisms) > _LAWS:
        st.caption(f"And {len(domain.mechanisms) - _LAWS} more laws, down to {plain(domain.mechanisms[-1].name)}.")


def _shared(domain: Domain) -> None:
    """The formulas that stand in every law, and the constants; nothing where there are none."""
    first = domain.mechanisms[0]
    names = wording.shared(domain, "let")
    common = tuple(entry for entry in first.let if entry[0] in names)
    constants = [p for p in first.parameters if p.constant is not None]
    if common:
        st.caption("In every law")
        st.latex(latex.law(replace(first, let=common, dynamics=None)))
    if constants:
        st.caption("Known numbers")
        st.latex(latex.priors(constants))


def _law(domain: Domain, mechanism: Mechanism) -> None:
    hidden = wording.shared(domain, "let")
    block = latex.law(replace(mechanism, let=tuple(entry for entry in mechanism.let if entry[0] not in hidden)))
    if block:
        st.latex(block)
    elif domain.python:
        st.caption(f"A program holds this law: the Python laws `{domain.python}`.")
    else:
        st.caption("It has nothing of its own beside what stands in every law.")


def show_outcomes(domain: Domain) -> None:
    """What comes back from an experiment and how it scatters."""
    st.subheader("What comes back")
    st.latex(latex.outcomes(domain))
    labelled = [outcome for outcome in domain.outcomes if outcome.label or outcome.unit]
    for outcome in labelled:
        told = [part for part in (outcome.label, outcome.unit and f"in {outcome.unit}") if part]
        if told:
            st.caption(plain(f"{outcome.name}: {', '.join(told)}"))

"""The scientific check of a domain: what a worker found by simulating it, with what to do about it."""

from typing import Any

import streamlit as st

from domains.document import Domain
from orchestrator.desk.domains import check_of
from ui.job_panel import show_job
from ui.wording import message_markdown, number, plain

_SIGNS = {"failure": "✕", "warning": "△", "note": "·"}
_HELP = (
    "Simulates 4,000 worlds of each law at random designs: gives every law finite numbers, changes every setting "
    "something, does any experiment tell the laws apart? It takes from seconds to a few minutes."
)
_MOST = 0.693  # log 2: to know which of two equally likely laws holds


def show_check(domain: Domain) -> None:
    """The check's verdict and remarks, or the way to ask for it."""
    st.subheader("Is it in order?")
    st.caption(_HELP)
    show_job(check_of(domain), button="Check this domain", key="domain.check", draw=_report)


def _report(report: dict[str, Any]) -> None:
    if report["ok"]:
        st.success("The domain is in order.", icon=":material/check_circle:")
    else:
        st.error("The domain is not in order; what fails below must be mended.", icon=":material/error:")
    for remark in report["remarks"]:
        text = f"**{_SIGNS[remark['level']]} {remark['level']}: {plain(remark['about'])}** — "
        st.markdown(text + message_markdown(remark["message"]))
    if not report["remarks"]:
        st.caption("There is nothing to remark on it.")
    _pairs(report["pairs"])
    with st.expander("What was measured"):
        _laws(report)


def _pairs(pairs: list[dict[str, Any]]) -> None:
    if not pairs:
        return
    st.markdown("**Which of two laws holds**, by the best single experiment that was found")
    several = any(pair["together"] for pair in pairs)
    rows = [
        {
            "laws": " or ".join(pair["laws"]),
            f"information (nats, at most {_MOST})": _nats(pair["single"]),
            "at": _place(pair["design"]),
            **({"eight together": _nats(pair["together"]) if pair["together"] else ""} if several else {}),
        }
        for pair in pairs
    ]
    st.dataframe(rows, hide_index=True, height="content", key="domain.check.pairs")


def _laws(report: dict[str, Any]) -> None:
    rows = [
        {
            "law": law["law"],
            "values that are not finite": f"{law['broken']:.2%}",
            "1,000 simulated experiments take": f"{law['seconds']:.2g} s",
        }
        for law in report["laws"]
    ]
    st.dataframe(rows, hide_index=True, height="content", key="domain.check.laws")
    for edge in report["edges"]:
        st.markdown(
            plain(f"{edge['outcome']}: {edge['share']:.0%} at the {edge['side']} bound {number(edge['bound'])}")
        )
    for replay, count in report["replays"].items():
        st.markdown(plain(f"replay {replay}: {count} rows"))


def _nats(estimate: dict[str, float]) -> str:
    nats, error = estimate["nats"], estimate["error"]
    return f"{nats:.3f} ± {error:.3f}" if nats > 3 * error else f"none seen (± {error:.3f})"


def _place(design: dict[str, float | str]) -> str:
    return ", ".join(f"{n} = {v if isinstance(v, str) else format(v, '.3g')}" for n, v in design.items())

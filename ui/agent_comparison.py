"""Two policies in the same worlds of a domain: asked for on the page, done by a worker."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from experiments_db.jobs import JobRecord
from orchestrator import services
from orchestrator.agent_register import GREEDY
from orchestrator.agent_work import compared, comparisons
from orchestrator.desk.agents import MOST_RUNS, AgentDesk
from ui.agent_figures import MEASURES, difference_figure, gains_figure
from ui.at_desk import at, may_act
from ui.figure_style import CHART
from ui.job_panel import watch
from ui.messages import in_words
from ui.opening import open_database
from ui.wording import counted, number, plain

_SHOWN = "agent.compare.job"


def show_comparison(name: str, choices: Sequence[str]) -> None:
    """The question, and the answers to those asked before."""
    st.markdown(
        "Both investigate the **same simulated worlds**, with the same noise and budget, so that what luck does to "
        "both cancels in the difference."
    )
    with in_words():
        _question(name, choices)
    past = comparisons(open_database(), name)
    if not past:
        st.caption("No comparison yet. One of 20 worlds takes from some seconds to some minutes, by the domain.")
        return
    chosen = st.selectbox(
        "Comparison", [job.id for job in past], format_func=lambda id_: _listed(_by_id(past, id_)), key=_SHOWN
    )
    _answer(_by_id(past, chosen))


def _question(name: str, choices: Sequence[str]) -> None:
    others = [choice for choice in choices if choice != name]
    with st.form("agent.compare.form", border=True):
        left, right = st.columns(2)
        with left:
            domain = st.selectbox("Domain", services.domain_names(), key="agent.compare.domain")
            other = st.selectbox(
                "Beside", others, index=others.index(GREEDY) if GREEDY in others else 0, key="agent.compare.other"
            )
        with right:
            runs = st.number_input(
                f"Worlds (2 to {MOST_RUNS})", 2, MOST_RUNS, 20, key="agent.compare.runs",
                help="The standard error falls with their square root: 20 tell large differences, 200 small ones.",
            )  # fmt: skip
            seed = st.number_input("Seed", min_value=0, value=2026, key="agent.compare.seed", help="Which worlds.")
        if st.form_submit_button("Compare", type="primary", key="agent.compare.ask", disabled=not may_act()):
            job = at(AgentDesk).compare((name, str(other)), str(domain), runs=int(runs), seed=int(seed))
            st.session_state.pop(_SHOWN, None)  # the newest is shown
            st.toast(plain(f"Asked for: {_named(job)}"))


def _by_id(found: Sequence[JobRecord], job_id: str) -> JobRecord:
    return next((job for job in found if job.id == job_id), found[0])


def _named(job: JobRecord) -> str:
    first, second = compared(job)
    asked = job.arguments
    return f"{first} beside {second}, {asked['domain']}, {asked['runs']} worlds of seed {asked['seed']}"


def _listed(job: JobRecord) -> str:
    return _named(job) if job.status == "finished" else f"{_named(job)} ({job.status})"


def _answer(job: JobRecord) -> None:
    if job.result is None:
        watch(job, _named(job))
        return
    result, names = job.result, compared(job)
    _words(result, names)
    left, right = st.columns(2)
    with left:
        st.plotly_chart(gains_figure(result, names), config=CHART, key=f"agent.gains.{job.id}")
    with right:
        st.plotly_chart(difference_figure(result, names), config=CHART, key=f"agent.difference.{job.id}")
    rows = [_row(name, policy) for name, policy in zip(names, result["policies"], strict=True)]
    st.dataframe(rows, hide_index=True, height="content", key=f"agent.compared.{job.id}")
    of = MEASURES[result["measure"]].removeprefix("gain, ")
    st.caption(plain(f"Gains are {of}, at the end of a budget of {number(result['budget'])}."))


def _words(result: dict[str, Any], names: Sequence[str]) -> None:
    last, out = result["difference"][-1], result["left_out"]
    told = "more" if last["low"] > 0 else "less" if last["high"] < 0 else ""
    verdict = f"{names[0]} gains {told} than {names[1]}" if told else "No difference can be told"
    left_out = f" {out} more were left out: beliefs ruled out what happened." if out else ""
    st.markdown(
        f"**{plain(verdict)}**: {last['mean']:+.3f} ± {last['error']:.3f}, mean and standard error (95 %: "
        f"{last['low']:+.3f} to {last['high']:+.3f}), over {counted(result['runs'], 'world')}.{left_out}"
    )


def _row(name: str, policy: dict[str, Any]) -> dict[str, Any]:
    last = policy["by_experiment"][-1]
    return {
        "policy": name,
        "gain": number(last["mean"]),
        "95 %": f"{last['low']:.3g} to {last['high']:.3g}",
        "experiments a run": number(policy["experiments"]),
        "decision, ms": number(policy["decision_ms"]),
    }

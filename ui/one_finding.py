"""One finding: in words, in figures, judged, and taken along."""

import streamlit as st

from orchestrator.desk.findings import FindingsDesk
from orchestrator.finding_report import Judged, Report, read_report
from orchestrator.finding_words import SECTIONS, in_words
from ui import plots
from ui.access import who
from ui.at_desk import at, may_act
from ui.figure_style import CHART
from ui.finding_exports import show_exports
from ui.finding_figures import constant_figure, steps
from ui.links import asked, go, link, link_back
from ui.messages import in_words as told_in_words
from ui.opening import open_database
from ui.wording import moment, number, plain, viewer_zone

_VERDICTS = {"accepted": "Accept", "rejected": "Reject", "noted": "Annotate"}
_HELP = (
    "Accept what you would build on, reject what you would not; an annotation leaves the verdict as it is. What you "
    "say stays on record with its reason, in the log of the campaign; the newest verdict holds."
)


def show_finding() -> None:
    """The page of the finding that the address names."""
    link_back("findings", "All findings")
    report = read_report(open_database(), asked("findings"))
    _heading(report)
    _words(report)
    _figures(report)
    _judgements(report)
    st.subheader("Take it along")
    show_exports([report])
    with st.expander("As recorded"):
        st.code(report.text, language=None, wrap_lines=True)
        st.caption("This text is never changed: its digest is in the log of the campaign.")


def _heading(report: Report) -> None:
    st.title(plain(report.question))
    of = "the whole campaign" if report.run is None else f"run {report.run + 1}"
    facts = [report.domain, report.field, report.policy, report.laboratory, f"of {of}", f"cost {number(report.cost)}"]
    zone = viewer_zone()
    when = f"found {moment(report.found_at, zone)} ({zone.key})"
    st.caption(plain(" · ".join([*(fact for fact in facts if fact), when, f"finding {report.name}"])))
    _standing(report.verdict)
    with st.container(horizontal=True):
        link("campaigns", "Its campaign", report.campaign)
        link("database", "Its experiments", campaign=report.campaign)
        if report.run is None and report.runs > 1:
            _compare_runs(report)


def _compare_runs(report: Report) -> None:
    """The runs' own findings: side by side, the first fifty."""
    names = [f"{report.campaign}.{run}" for run in range(min(report.runs, 50))]
    if st.button("Compare its runs", key="finding.runs"):
        go("findings", compare=",".join(names))


def _standing(verdict: Judged | None) -> None:
    if verdict is None:
        st.info("Nobody has judged this finding yet.")
        return
    words = plain(f"{verdict.verdict.capitalize()} by {verdict.by}: {verdict.reason}")
    (st.success if verdict.verdict == "accepted" else st.error)(words)


def _words(report: Report) -> None:
    words = in_words(report)
    for name, heading in SECTIONS.items():
        st.subheader(heading)
        sentences = getattr(words, name)
        if len(sentences) == 1:
            st.markdown(plain(sentences[0]))
        else:
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sentences))
    if report.unread:
        st.caption(plain(f"Priors are not compared: the domain cannot be read here ({report.unread})."))


def _figures(report: Report) -> None:
    if len(report.steps) > 1 and len(report.laws) > 1:
        st.subheader("Which law, experiment by experiment")
        st.plotly_chart(plots.mechanism_figure(steps(report)), config=CHART, key="finding.laws")
    known = [c for c in report.constants if None not in (c.mean, c.low90, c.high90)]
    if not known:
        return
    st.subheader("The constants, against what was assumed before")
    st.caption("The wide grey bar is the prior's central 90 %, the blue line that of the finding, the dot its mean.")
    for start in range(0, len(known), 2):
        for constant, column in zip(known[start : start + 2], st.columns(2), strict=False):
            with column:
                st.caption(plain(constant.described))
                st.plotly_chart(constant_figure(constant), config=CHART, key=f"finding.constant.{constant.name}")


def _judgements(report: Report) -> None:
    st.subheader("Judgements")
    zone = viewer_zone()
    for judged in report.judgements:
        holds = " · **holds**" if judged.holds else ""
        who_and_what = f"{plain(moment(judged.at, zone))} · {plain(judged.by)} · *{judged.verdict}*{holds}"
        st.markdown(f"{who_and_what}  \n{plain(judged.reason)}")
    if not report.judgements:
        st.caption("None yet.")
    with told_in_words():
        _judge(report)


def _judge(report: Report) -> None:
    """The form; its fields are new ones after each judgement, so that none is sent twice."""
    key, allowed = f"finding.{report.name}.{len(report.judgements)}", may_act()
    verdict = st.radio(
        "Your judgement", list(_VERDICTS), format_func=_VERDICTS.__getitem__, horizontal=True, key=f"{key}.verdict",
        help=_HELP, disabled=not allowed,
    )  # fmt: skip
    reason = st.text_area("Reason", key=f"{key}.reason", disabled=not allowed, placeholder="Why? Who reads it later "
                          "was not there.")  # fmt: skip
    holder = who().name  # of a token that several share, where the settings name it
    by = st.text_input("Your name", "" if holder.startswith("ORGANON_") else holder, key="finding.by",
                       placeholder=holder, disabled=not allowed)  # fmt: skip
    seen = st.session_state.get(f"{key}.seen", report.found_at)  # when the form was last drawn, not when it is sent
    st.session_state[f"{key}.seen"] = report.found_at
    if st.button("Record the judgement", type="primary", key=f"{key}.judge", disabled=not allowed):
        at(FindingsDesk).judge(report.name, str(verdict), reason, by, seen=seen)
        st.rerun()
    if not allowed:
        st.caption("You may look and not judge: that takes a token of the role operator.")

"""One domain: what is asked, its laws, what is unknown, what they predict, whether it is in order, who asked it."""

import streamlit as st

from domains import wording
from domains.document import Domain
from experiments_db import domain_versions
from orchestrator.own_domains import FROM_DESK
from ui.at_desk import may_act
from ui.domain_check_panel import show_check
from ui.domain_laws import show_laws, show_outcomes
from ui.domain_prediction_panel import show_predictions
from ui.domain_priors import show_unknowns
from ui.domain_reading import DomainView, read_domain
from ui.domain_versions_panel import show_versions
from ui.links import asked, go, link, link_back
from ui.opening import open_database
from ui.tables import page_of, show_turning
from ui.wording import counted, message_markdown, moment, plain, status_words, viewer_zone

_CAMPAIGNS = 20


def show_domain() -> None:
    """The page of the domain that the address names; ``version`` there is the beginning of an older one's identity."""
    link_back("domains", "All domains")
    view = read_domain(open_database(), asked("domains"), str(st.query_params.get("version", "")))
    _heading(view)
    _buttons(view)
    if view.domain is None:
        st.error(message_markdown(view.fault), icon=":material/error:")
    else:
        _science(view.domain)
    _campaigns(view)
    show_versions(view)
    _document(view)


def _heading(view: DomainView) -> None:
    st.title(plain(view.title))
    field = view.domain.field if view.domain is not None else ""
    st.caption(plain(" · ".join(fact for fact in [view.name, field, _origin(view)] if fact)))
    if not view.current:
        st.warning(
            "This is an older version. A campaign that names the domain asks the current one.",
            icon=":material/history:",
        )
        link("domains", "The current version", view.name)
    if view.domain is not None and view.domain.summary:
        st.markdown(plain(view.domain.summary))


def _origin(view: DomainView) -> str:
    version = f"version {view.identity[:8]}"
    if view.saved_at is None:
        return f"of the catalogue, {version}"
    moment_words = moment(view.saved_at, viewer_zone())
    how = "saved on this page" if view.source == FROM_DESK else "recorded with a campaign"
    return f"{version}, {how} {moment_words} ({counted(len(view.versions), 'version')})"


def _buttons(view: DomainView) -> None:
    with st.container(horizontal=True):
        if st.button(
            "New campaign", key="domain.campaign", type="primary", disabled=not view.current or not may_act(),
            help="Send the agent out to answer this question.",
        ):  # fmt: skip
            go("campaigns", new=view.name)
        version = "" if view.current else f"@{view.identity[:16]}"
        if view.own and st.button(
            "New version", key="domain.version", help="Change it under the same name; this version stays as it is."
        ):
            go("domains", new="1", **{"from": view.name + version})
        if st.button("Edit a copy", key="domain.copy", help="Begin a domain of another name from this one."):
            go("domains", new="1", copy="1", **{"from": view.name + version})


def _science(domain: Domain) -> None:
    _aim(domain)
    _designs(domain)
    show_laws(domain)
    show_unknowns(domain)
    show_outcomes(domain)
    show_predictions(domain)
    show_check(domain)
    _sources(domain)


def _aim(domain: Domain) -> None:
    st.subheader("What is wanted")
    goal = wording.goal(domain)
    st.markdown(plain(f"{goal[0].upper()}{goal[1:]}."))
    for point in wording.points(domain)[:12]:
        st.markdown(f"- {plain(point)}")
    for line in wording.budget(domain):
        st.markdown(plain(f"{line.left[0].upper()}{line.left[1:]} {line.sign} {line.right}"))
    if swapped := wording.exchangeable(domain):
        st.markdown(plain(swapped))


def _designs(domain: Domain) -> None:
    st.subheader("What can be set")
    rows = [
        {"design": d.name, "values": wording.allowed(d), "unit": d.unit, "what it is": d.label} for d in domain.designs
    ]
    st.dataframe(rows, hide_index=True, height="content", key="domain.designs")
    for condition in domain.constraints:
        st.markdown(f"such that {plain(wording.to_unicode(condition))}")


def _sources(domain: Domain) -> None:
    if domain.replays:
        st.subheader("Real measurements")
        st.caption("A campaign on one of these laboratories looks its experiments up instead of simulating them.")
        rows = [
            {"laboratory": f"replay:{r.name}", "table": r.file, "source": " ".join(r.source.split())}
            for r in domain.replays.values()
        ]
        st.dataframe(rows, hide_index=True, height="content", key="domain.replays")
    if domain.references:
        st.subheader("References")
        st.markdown("\n".join(f"- {plain(reference)}" for reference in domain.references))


def _campaigns(view: DomainView) -> None:
    st.subheader("Campaigns so far")
    key = f"domain.{view.name}"
    page = page_of(key)
    with open_database().read() as session:
        found = domain_versions.campaigns_of(session, view.name, limit=_CAMPAIGNS + 1, offset=page * _CAMPAIGNS)
    if not found:
        st.caption("None yet: **New campaign** above sends the agent out." if page == 0 else "There are no older ones.")
    zone = viewer_zone()
    for campaign, identity in found[:_CAMPAIGNS]:
        other = "" if identity == view.identity else f" · version {identity[:8]}"
        runs = counted(campaign.runs, "run")
        words = f"{status_words(campaign.status)} · {moment(campaign.created_at, zone)} · {campaign.policy} · {runs}"
        link("campaigns", plain(f"{words}{other}"), campaign.id)
    show_turning(key, len(found[:_CAMPAIGNS]), _CAMPAIGNS, more=len(found) > _CAMPAIGNS)


def _document(view: DomainView) -> None:
    st.subheader("The document")
    st.caption("Everything above is read from this text. It can be copied, kept as a file, and given to `organon`.")
    st.download_button(
        "Download the document", view.text, f"{view.name}.yaml", "application/yaml", key="domain.download",
        on_click="ignore",
    )  # fmt: skip
    with st.expander("Show the document"):
        st.code(view.text, language="yaml", line_numbers=True)

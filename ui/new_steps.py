"""The steps of a new campaign: domain, laboratory, policy, runs, stopping rules, data. Each says what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from domains.document import Domain
from domains.loading import find
from domains.measurements import data_columns
from domains.wording import allowed
from experiments_db.database import Database
from orchestrator import agents, services
from orchestrator.given_data import read_given, uploaded_table
from orchestrator.own_domains import campaign_domain, domain_names
from orchestrator.requests import Document
from orchestrator.settings import Settings
from orchestrator.stopping import SCORING_POLICIES, check_stop
from orchestrator.suggestion_rules import answers_elsewhere, check_laboratory, check_suggested, laboratories
from ui.links import link
from ui.messages import in_words
from ui.wording import counted, number, plain

Step = dict[str, Any]
LARGEST_SEED = 2**53 - 1  # that a browser can write; the command line takes larger ones


@dataclass(frozen=True)
class AskedDomain:
    """A domain as a request names it, and as it reads."""

    named: str | Document
    domain: Domain


def ask_domain(database: Database) -> AskedDomain | None:
    """Step 1: which question."""
    st.subheader("1. The question")
    names = domain_names(database)
    chosen = st.session_state.get("new.domain")
    if chosen and chosen not in names:
        names = [*names, chosen]
    name = str(st.selectbox("Domain", names, key="new.domain", help="Rival laws, what is unknown, what can be set."))
    with in_words():
        named = campaign_domain(database, name)
        domain = find(named) if isinstance(named, str) else named.load()
        laws = ", ".join(mechanism.label or mechanism.name for mechanism in domain.mechanisms[:6])
        st.markdown(f"**{plain(domain.title)}** {counted(len(domain.mechanisms), 'law')}: {plain(laws)}")
        settings = "; ".join(f"{d.name}{f' ({d.unit})' if d.unit else ''} {allowed(d)}" for d in domain.designs)
        st.caption(plain(f"It sets {settings}; it sees {', '.join(domain.outcome_entries[:8])}."))
        link("domains", "The domain's page", name.partition("@")[0])
        return AskedDomain(named, domain)
    return None


def ask_laboratory(settings: Settings, domain: Domain) -> Step | None:
    """Step 2: who runs the experiments."""
    st.subheader("2. Who runs the experiments")
    names = laboratories(settings, domain)
    _only_if("new.laboratory", names)
    laboratory = str(st.selectbox("Laboratory", names, key="new.laboratory", help=_LABORATORY_HELP))
    left, right = st.columns(2)
    approval = left.checkbox("A person approves each experiment before it is run", key="new.approval")
    waits = approval or answers_elsewhere(laboratory)
    due = None
    if waits:
        due = right.number_input(
            "Overdue after hours", 0.0, 100_000.0, None, key="new.due_hours", help="Empty: nothing is ever overdue.",
        )  # fmt: skip
    due_hours = due or None

    def check() -> None:
        check_laboratory(settings, domain, laboratory)
        check_suggested(laboratory, runs=1, approval=approval, due_hours=due_hours)

    return _checked(check, {"laboratory": laboratory, "approval": approval, "due_hours": due_hours})


def ask_policy(settings: Settings, domain: Domain) -> Step | None:
    """Step 3: who decides."""
    st.subheader("3. The policy")
    with in_words():
        names = agents.policy_names(settings, domain)
        _only_if("new.policy", names)
        policy = str(st.selectbox("Policy", names, key="new.policy", help=_POLICY_HELP))
        return _checked(lambda: agents.choose_policy(settings, policy, domain), {"policy": policy})
    return None


def ask_runs(domain: Domain) -> Step | None:
    """Step 4: how much."""
    st.subheader("4. How much")
    first, second, third = st.columns(3)
    runs = first.number_input("Runs", 1, 1_000_000, 1, key="new.runs", help="How many worlds to investigate.")
    own = number(domain.budget)
    unit = "cost" if domain.cost is not None else "experiments, for each costs 1"
    budget = second.number_input(
        "Budget a run", 0.0, None, None, placeholder=f"{own}, the domain's", key="new.budget",
        help=f"In {unit}." + (f" An experiment costs {domain.cost.text}." if domain.cost is not None else ""),
    )  # fmt: skip
    batch = third.number_input(
        "Batch", 1, 64, 1, key="new.batch",
        help="Experiments chosen at a time, to be run together; where people answer, how many are outstanding.",
    )  # fmt: skip
    with st.expander("More: seed, particles, moves"):
        one, two, three = st.columns(3)
        seed = one.number_input("Seed", 0, LARGEST_SEED, 0, key="new.seed", help="Same seed, same result.")
        particles = two.number_input(
            "Particles", 50, 1_000_000, 2000, key="new.particles",
            help="Per law and run: more of them give a finer belief, and take longer.",
        )  # fmt: skip
        moves = three.number_input("Moves", 1, 1000, 5, key="new.moves", help="MCMC moves after each resampling.")
    values = {"runs": runs, "budget": budget, "batch": batch, "seed": seed, "particles": particles, "moves": moves}
    return _checked(lambda: services.campaign_request(domain=domain.name, **values), values)


def ask_stop(domain: Domain, policy: str | None) -> Step | None:
    """Step 5: what ends a run before its budget does."""
    st.subheader("5. When a run knows enough")
    st.caption("Optional. Without a rule, a run ends when its budget pays for no more.")
    left, right = st.columns(2)
    probability = None
    if len(domain.mechanisms) > 1:
        probability = left.number_input(
            "Stop at probability",
            0.0,
            1.0,
            None,
            key="new.stop_probability",
            help="Of the most probable law, at least.",
        )
    information = None
    if policy in SCORING_POLICIES:
        information = right.number_input(
            "Stop below information", 0.0, None, None, key="new.stop_information",
            help="Expected of the best experiment per unit of cost, in nats; for predictions a share of variance.",
        )  # fmt: skip
    widths = _widths(domain)
    stop = {"probability": probability or None, "widths": widths, "information": information or None}

    def check() -> None:
        request = services.campaign_request(domain=domain.name, stop=stop)
        check_stop(domain, policy or SCORING_POLICIES[0], request.stop)

    return _checked(check, {"stop": stop})


def _widths(domain: Domain) -> dict[str, float]:
    """The widest 90 % intervals that are good enough, of the parameters that are chosen."""
    units = {entry: parameter.unit for parameter in domain.parameters for entry in parameter.entries}
    if "new.stop_parameters" in st.session_state:  # another domain has others
        kept = [name for name in st.session_state["new.stop_parameters"] if name in units]
        st.session_state["new.stop_parameters"] = kept
    chosen = st.multiselect(
        "Stop when these are known well enough", list(units), key="new.stop_parameters",
        help="With a probability, both must be reached.",
    )  # fmt: skip
    widths = {}
    for name in chosen:
        unit = f" ({units[name]})" if units[name] else ""
        width = st.number_input(
            f"Width of the 90 % interval of {plain(name)}{plain(unit)}, at most", 0.0, None, None, format="%.6g",
            key=f"new.stop_width.{name}",
        )  # fmt: skip
        if width:
            widths[name] = float(width)
        else:
            st.caption(f":red[{plain(name)} needs a width above 0; take it out of the list if it does not matter.]")
    return widths


def ask_data(domain: Domain) -> Step | None:
    """Step 6: experiments already made."""
    st.subheader("6. Data and time")
    listed = ", ".join(f"`{name}`" for name in data_columns(domain))
    upload = st.file_uploader(
        "Measurements already made (optional, CSV)",
        type="csv",
        key="new.data",
        help=f"A table with a row an experiment and the columns {listed}, as in an export. Every run starts from them, "
        "at no cost; an empty outcome is missing.",
    )
    if upload is None:
        return {"data": None}
    with in_words():
        table = uploaded_table(upload.name, upload.getvalue())
        given = read_given(domain, table)
        st.caption(plain(f"{counted(given.count, 'experiment')} of {upload.name} will be given to every run."))
        return {"data": table}
    return None


def _checked(check: Callable[[], object], values: Step) -> Step | None:
    """The values, if nothing is wrong with them; else what is wrong is on the page."""
    with in_words():
        check()
        return values
    return None


def _only_if(key: str, options: list[str]) -> None:
    """Forget a choice that is not offered any more: for another domain, say."""
    if st.session_state.get(key) not in (None, *options):
        del st.session_state[key]


_LABORATORY_HELP = (
    "Who runs the experiments: `simulate` draws worlds and simulates, `replay:NAME` looks them up in a table of real "
    "measurements, `manual` asks people, `command:NAME` starts a program, and with `none` nobody does: measurements "
    "already made are analysed."
)
_POLICY_HELP = (
    "How experiments are chosen. The first is the default; agents have learned to experiment, the others are classical."
)

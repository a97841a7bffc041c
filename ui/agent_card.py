"""An agent's card on the page: what it is, what its results are, how it learned."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
import yaml

from experiments_db.trainings import TrainingRecord
from orchestrator.agent_register import GREEDY, AgentCard, StoredAgent, standing_of
from ui.agent_figures import MEASURES, curve_figure, forest_figure
from ui.figure_style import CHART
from ui.wording import counted, moment, number, plain, viewer_zone


def show_card(stored: StoredAgent) -> None:
    """What it is, what it was trained on, what it cannot do."""
    card, training = stored.card, stored.card.training
    size = f"{card.weights.bytes / 1e3:,.0f} kB of weights"
    facts = {
        "Family": f"{card.family}, {_pairs(card.options)}; {size}, sha256 {card.weights.sha256[:12]}…",
        "Serves": ", ".join(card.goals) or "games on tables only",
        "For": ", ".join(document.name for document in card.domains) or "any domain",
        "Trained on": "; ".join(training.tasks) or "nothing",
        "How long": f"{training.steps:,} steps, {training.episodes:,} episodes, {training.experiments:,} experiments "
        f"in {training.seconds:,.0f} s",
        "Where and when": f"{training.hardware or 'not told'}, {training.date or 'date not told'}, commit "
        f"{training.commit or 'not told'}",
        "Lies in": f"{stored.folder}" + (" (comes with Organon)" if stored.shipped else ""),
        "Limits": card.limits or "none told",
    }
    for name, said in facts.items():
        st.markdown(f"**{name}**: {plain(said)}")
    with st.expander("Recipe"):
        st.code(yaml.safe_dump(card.recipe, sort_keys=False, allow_unicode=True), language="yaml", wrap_lines=True)


def show_held_out(card: AgentCard) -> None:
    """Its results on what it was not trained on, as a forest around greedy and as a table."""
    if not card.held_out:
        st.info(
            "Nothing was measured yet. `organon agent evaluate NAME --domain DOMAIN --record` measures it beside "
            f"{GREEDY} in the same worlds; Compare, on this page, does so with fewer."
        )
        return
    standing = standing_of(card)
    if standing.pooled is not None:
        pooled = standing.pooled
        st.markdown(
            f"It gains **{pooled.value:.3f}** of what {plain(GREEDY)} gains (95 %: {pooled.low:.3f} to "
            f"{pooled.high:.3f}), over {counted(len(standing.domains), 'domain')} that it was not trained on."
        )
        st.plotly_chart(forest_figure(standing), config=CHART, key="agent.forest")
    st.dataframe([_row(result) for result in card.held_out], hide_index=True, height="content", key="agent.held_out")
    of = sorted({MEASURES[result.measure].removeprefix("gain, ") for result in card.held_out})
    st.caption(plain(f"Gains are, by the domain's goal: {'; '.join(of)}. Larger is better."))
    _lacking(standing.lacking)


def _lacking(lacking: Sequence[str]) -> None:
    if not lacking:
        st.success(f"The card shows that it is at least as good as {GREEDY}: it can be the default policy.")
        return
    st.markdown("**What it lacks to be the default policy**")
    st.markdown("\n".join(f"- {plain(each)}" for each in lacking))


def show_training(card: AgentCard, found: Sequence[TrainingRecord], *, under_way: bool) -> None:
    """Its learning curve, and the trainings on record; under_way: the newest of them."""
    training = card.training
    if "adapted" in card.recipe:
        _adaptation(card)
    if training.curve:
        last = training.curve[-1][0]
        figure = curve_figure(training.curve, last, _unit(card), "regret or gain, as said below")
        st.plotly_chart(figure, config=CHART, key="agent.curve")
        st.caption(plain(f"The curve: {training.curve_of or 'what it is of is not told'}."))
    else:
        st.info("The card holds no learning curve.")
    if found:
        st.markdown("**Trainings on record**")
        rows = [_training(each) for each in found]
        if under_way:
            rows[0]["status"] = "under way"  # between two slices it is stopped
        st.dataframe(rows, hide_index=True, height="content", key="agent.trainings")


def _unit(card: AgentCard) -> str:
    """What a training's length is counted in: specialists count what they simulate."""
    return "steps" if card.family == "experimenter" else "experiments simulated"


def _adaptation(card: AgentCard) -> None:
    """What came of adapting: regret before and after, as shares of what the best design gains."""
    values = [value for _, value in card.training.curve]
    before, after, steps = st.columns(3)
    if values:
        tenth = max(1, len(values) // 10)
        before.metric("Regret at first", number(sum(values[:tenth]) / tenth))
        after.metric("Regret at last", number(sum(values[-tenth:]) / tenth))
        steps.metric("Steps on the domain", f"{card.training.curve[-1][0]:,}")
    which = card.recipe.get("which", "all")
    st.caption(plain(f"Adapted from {card.recipe['adapted']}; what could change: {which}. Less regret is better."))


def _row(result: Any) -> dict[str, Any]:
    low, high = result.interval
    return {
        "domain": result.domain.name,
        "goal": result.goal,
        "beside": result.against,
        "worlds": result.runs,
        "its gain": number(result.gain),
        "the other's": number(result.other_gain),
        "difference ± s.e.": f"{result.difference:+.3f} ± {result.standard_error:.3f}",
        "95 %": f"{low:+.3f} to {high:+.3f}",
        "decision, ms": f"{result.decision_ms:.3g} ({result.other_decision_ms:.3g})",
        "when": result.date,
    }


def _training(each: TrainingRecord) -> dict[str, Any]:
    zone = viewer_zone()
    return {
        "status": each.status,
        "step": f"{each.step:,} of {each.steps:,}",
        "seconds": f"{each.seconds:,.0f}",
        "begun": moment(each.created_at, zone),
        "last at work": moment(each.updated_at, zone),
        "hardware": str(each.hardware.get("processor", "")),
        "commit": each.commit or "not told",
    }


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "no options"

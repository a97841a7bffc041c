"""Several findings side by side."""

import streamlit as st

from experiments_db import found
from orchestrator.errors import RequestError
from orchestrator.finding_comparison import compared_constants, comparison_rows
from orchestrator.finding_names import finding_name, read_name
from orchestrator.finding_report import Report, read_reports
from ui.figure_style import CHART
from ui.finding_exports import show_exports
from ui.finding_figures import forest_figure
from ui.finding_list import VERDICT_SIGNS
from ui.links import link_back
from ui.opening import open_database
from ui.tables import linked_table
from ui.wording import counted, plain

MOST = 100


def compared() -> list[str]:
    """The findings that the address names for comparison."""
    return [name for name in str(st.query_params.get("compare", "")).split(",") if name]


def show_comparison() -> None:
    """The page of the findings that the address names."""
    link_back("findings", "All findings")
    st.title("Findings side by side")
    with st.spinner("Reading the findings"):
        reports, missing = _read(compared())
    if missing:
        st.warning(plain(f"Not there (any more): {', '.join(missing)}."))
    if not reports:
        return
    st.caption(
        counted(len(reports), "finding") + ", in the order in which they were chosen. Select a cell to open one."
    )
    _table(reports)
    show_exports(reports)
    _forests(reports)


def _read(names: list[str]) -> tuple[list[Report], list[str]]:
    """The reports of those that are there, and the names of those that are not."""
    if len(names) > MOST:
        raise RequestError(f"{len(names)} findings are chosen, and {MOST} can be looked at together: choose fewer")
    database = open_database()
    asked = [read_name(database, name) for name in dict.fromkeys(names)]
    with database.read() as session:
        lines = found.findings_named(session, asked)
    there = [finding_name(line.campaign_id, line.run_index) for line in lines]
    return read_reports(database, there, MOST), [n for n in (finding_name(*pair) for pair in asked) if n not in there]


def _table(reports: list[Report]) -> None:
    rows = comparison_rows(reports)
    signs = {"not judged": None}
    shown = [{**row, "verdict": VERDICT_SIGNS[signs.get(row["verdict"], row["verdict"])]} for row in rows]
    probability = st.column_config.NumberColumn("probability", format="percent")
    names = [report.name for report in reports]
    linked_table(shown, "findings", names, key="findings.compared", config={"probability": probability})


def _forests(reports: list[Report]) -> None:
    shared = [entry for entry in compared_constants(reports) if len(entry.entries) > 1]
    st.subheader("Constants")
    if not shared:
        st.caption("No constant, of one name and unit, is in more than one of them.")
        return
    st.caption("Mean and 90 % interval in every finding; a colour and a sign for each law that was found.")
    for entry in shared:
        st.plotly_chart(forest_figure(entry), config=CHART, key=f"findings.forest.{entry.heading}")

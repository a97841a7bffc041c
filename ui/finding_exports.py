"""Findings to take along: as a page of their own, as PDF, as data."""

from collections.abc import Sequence

import streamlit as st

from orchestrator.finding_html import html_page
from orchestrator.finding_pdf import pdf_file
from orchestrator.finding_report import Report, to_json
from orchestrator.settings import load_settings


def show_exports(reports: Sequence[Report]) -> None:
    """Buttons for the three files; each is made when it is asked for."""
    home, chosen = load_settings().home, list(reports)
    name = f"finding-{chosen[0].name}" if len(chosen) == 1 else f"findings-{len(chosen)}"
    with st.container(horizontal=True):
        st.download_button(
            "HTML",
            lambda: html_page(home, chosen),
            f"{name}.html",
            "text/html",
            key="findings.html",
            on_click="ignore",
            help="One page with its figures inside: it opens anywhere and asks nothing of any host.",
        )
        st.download_button(
            "PDF",
            lambda: pdf_file(home, chosen),
            f"{name}.pdf",
            "application/pdf",
            key="findings.pdf",
            on_click="ignore",
            help="A4, with figures that stay sharp at any size.",
        )
        st.download_button(
            "JSON",
            lambda: to_json(chosen),
            f"{name}.json",
            "application/json",
            key="findings.json",
            on_click="ignore",
            help="Everything as data: the finding as recorded, the probabilities by experiment, the judgements.",
        )

"""Where the pages are, and the way from one to another. Every address can be kept: ids stand in it.

A page with many things and one of them (``/campaigns`` and ``/campaigns?campaign=ID``) is one page with two faces.
Going from page to page leaves an entry in the browser's history, going from face to face another; both ways lead back.
"""

from dataclasses import dataclass
from typing import Any, NoReturn

import streamlit as st


@dataclass(frozen=True)
class Place:
    """A page: its file in ``views/``, its title and sign, and what names one of its things in the address."""

    path: str
    title: str
    icon: str
    names: str = ""


PLACES = {
    place.path: place
    for place in (
        Place("home", "Home", ":material/home:"),
        Place("domains", "Domains", ":material/function:", "domain"),
        Place("distributions", "Task distributions", ":material/casino:", "distribution"),
        Place("agents", "Agents", ":material/smart_toy:", "agent"),
        Place("campaigns", "Campaigns", ":material/science:", "campaign"),
        Place("findings", "Findings", ":material/lightbulb:", "finding"),
        Place("database", "Database", ":material/database:", "query"),
        Place("workers", "Workers", ":material/memory:", "job"),
    )
}


def pages() -> list[Any]:
    """Every page, for the navigation; made anew in each drawing, as Streamlit wants it."""
    return [_page(place) for place in PLACES.values()]


def _page(place: Place) -> Any:
    default = place.path == "home"
    url = None if default else place.path
    return st.Page(f"views/{place.path}.py", title=place.title, icon=place.icon, url_path=url, default=default)


def asked(path: str) -> str:
    """What the address names of a page's things, empty where it names none."""
    return str(st.query_params.get(PLACES[path].names, ""))


def go(path: str, name: str = "", **query: str) -> NoReturn:
    """Go to a page, and to one of its things."""
    place = PLACES[path]
    st.switch_page(_page(place), query_params={**({place.names: name} if name else {}), **query})


def link(path: str, label: str, name: str = "", **query: str) -> None:
    """A link to a page, or to one of its things; opens in another tab where the viewer wants it."""
    place = PLACES[path]
    named = {**({place.names: name} if name else {}), **query}
    st.page_link(_page(place), label=label, query_params=named or None)


def link_back(path: str, label: str) -> None:
    """The way from one of a page's things to all of them."""
    st.page_link(_page(PLACES[path]), label=label, icon=":material/arrow_back:")

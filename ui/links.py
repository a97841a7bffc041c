"""Where the pages are: ``/`` lists the campaigns, ``/?campaign=ID`` is one of them."""

from typing import NoReturn

import streamlit as st

_CAMPAIGN = "campaign"


def campaigns_page() -> str:
    """The file of the page at ``/``: a campaign if the address names one, else the list.

    One page with two faces, not two pages: going from page to page leaves an entry in the browser's history that leads
    back to where it came from, so that the way back would be barred.
    """
    return "views/campaign.py" if _CAMPAIGN in st.query_params else "views/campaigns.py"


def asked_campaign() -> str:
    """The campaign that the address names: its id, or the beginning of it."""
    return st.query_params.get(_CAMPAIGN, "")


def open_campaign(campaign_id: str) -> NoReturn:
    """Go to a campaign's page."""
    st.query_params[_CAMPAIGN] = campaign_id
    st.rerun()


def link_to_campaigns() -> None:
    """The way back to the list."""
    st.button("All campaigns", icon=":material/arrow_back:", type="tertiary", key="all campaigns", on_click=_list)


def _list() -> None:
    st.query_params.pop(_CAMPAIGN, None)

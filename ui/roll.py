"""Whether workers are at work, as the pages say it; asked aside, so that no page waits for the answer."""

import streamlit as st

from orchestrator.presence import is_here
from orchestrator.roll_call import Present, RollCall
from orchestrator.settings import Settings, load_settings
from ui.wording import counted, message_markdown, plain

_ASKING = "Asking the workers whether they are there …"
_START = "`organon start` brings up workers with the pages, `organon worker` workers alone."
_NONE = f"No workers are at work; what waits goes on when they are. {_START}"
IF_NONE = f"If no worker is at work: {_START}"
_NAMED = 8  # pools


def roll_call() -> RollCall:
    """The one of this process for its settings."""
    settings = load_settings()
    return _roll_call(settings, settings.queue, settings.broker_url)


@st.cache_resource(show_spinner=False)
def _roll_call(_settings: Settings, queue: str, broker_url: str) -> RollCall:
    del queue, broker_url  # by which one installation is told from another
    return RollCall(_settings)


def show_roll() -> None:
    """Which pools answer, or what to do where none does."""
    present = roll_call().look()
    if present is None:
        st.caption(_ASKING)
    elif present.at_work:
        st.success(f"{_pools(present)} at work: {_named(present)}", icon=":material/check:")
    else:
        show_absence(present)


def roll_words() -> str:
    """The same in a few words, where all is well or nobody knows yet; empty where somebody has to do something."""
    present = roll_call().look()
    if present is None:
        return _ASKING
    return f"{_pools(present)} at work" if present.at_work else ""


def show_absence(present: Present | None) -> None:
    """What is wrong, and the way out."""
    if present is not None and present.reason:
        st.error(message_markdown(f"Nobody knows which workers there are: {present.reason}."), icon=":material/error:")
    elif present is not None:
        st.warning(_NONE, icon=":material/warning:")


def _pools(present: Present) -> str:
    return f"{counted(len(present.pools), 'pool')} of workers"


def _named(present: Present) -> str:
    names = [plain(pool) + (" (this machine)" if is_here(pool) else "") for pool in present.pools[:_NAMED]]
    more = len(present.pools) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")

"""What ``streamlit run ui/server.py`` serves: the pages behind a gate, and the login."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread

import streamlit as st
from starlette.middleware import Middleware

from ui.door import Door
from ui.gate import Gate
from ui.holders import whose

_DRAWN_WITH = ("pandas", "pyarrow", "plotly.graph_objects")


@asynccontextmanager
async def _warm(app: st.App) -> AsyncIterator[None]:
    """Read what tables and figures are drawn with while nobody waits for it: it takes two seconds."""
    del app
    Thread(target=lambda: [import_module(name) for name in _DRAWN_WITH], name="warm", daemon=True).start()
    yield


app = st.App(
    Path(__file__).with_name("app.py"),
    lifespan=_warm,
    routes=Door(whose).routes(),
    middleware=[Middleware(Gate, whose=whose)],
)

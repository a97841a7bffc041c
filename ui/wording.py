"""How numbers, times, statuses and other people's words look on the page."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

SIGNS = {
    "scheduled": "○",
    "waiting": "○",
    "running": "◐",
    "paused": "‖",
    "finished": "●",
    "failed": "✕",
    "cancelled": "⊘",
}
ABSENT = "–"
_MARKDOWN = re.compile(r"([\\*_~\[\]()#$|<>:!&])")


def number(value: float | None) -> str:
    """Four significant digits; a dash where there is no finite number."""
    return ABSENT if value is None else f"{value:.4g}".replace("-", "−")


def amount(done: float, expected: float | None) -> str:
    """``12 of 40``, or ``12`` where nobody knows how many there will be."""
    return number(done) if expected is None else f"{number(done)} of {number(expected)}"


def counted(count: int, noun: str) -> str:
    """``1 run``, ``1,200 runs``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def status_words(status: str) -> str:
    """A status with its sign: never told by colour alone."""
    return f"{SIGNS.get(status, '·')} {status}"


def viewer_zone() -> ZoneInfo:
    """The time zone of whoever looks at the page; UTC if the browser does not say."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def moment(time: datetime | None, zone: ZoneInfo) -> str:
    """``2026-11-22 20:29``, which sorts as text as it does in time."""
    return ABSENT if time is None else time.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def moment_said(written: str | None, zone: ZoneInfo) -> str:
    """The same of a moment that plain data says; empty where it says none."""
    return "" if written is None else moment(datetime.fromisoformat(written), zone)


def times_in(zone: ZoneInfo) -> str:
    """Which clock the times on the page are of."""
    return f"Times are those of {plain(zone.key)}."


def plain(text: str) -> str:
    """``text`` so that Markdown shows it as it is: titles, names and messages are other people's words."""
    return _MARKDOWN.sub(r"\\\1", text).replace("`", "\\`")


def message_markdown(message: str) -> str:
    """A message as Markdown in which only its `commands` are marked up."""
    parts = message.split("`")
    if len(parts) % 2 == 0:
        return plain(message)
    return "".join(f"`{part}`" if index % 2 and part else plain(part) for index, part in enumerate(parts))

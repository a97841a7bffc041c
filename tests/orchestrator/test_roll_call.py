"""Which workers answer: known at once or not yet, and never waited for."""

import time
from pathlib import Path

from orchestrator.roll_call import Present, RollCall
from orchestrator.settings import Settings


def test_nobody_is_there_where_our_own_broker_does_not_run(tmp_path: Path) -> None:
    roll = RollCall(Settings(home=tmp_path))
    assert roll.look() is None, "nothing is known before anybody was asked"
    assert roll.wait(20) == Present((), idle=True)
    assert roll.look() == Present((), idle=True)
    assert not Present(()).at_work


def test_a_broker_that_is_away_is_said_and_not_waited_for(tmp_path: Path) -> None:
    roll = RollCall(Settings(home=tmp_path, broker_url="redis://:secret@127.0.0.1:1/0"))
    begun = time.monotonic()
    assert roll.look() is None
    assert time.monotonic() - begun < 0.5
    found = roll.wait(30)
    assert found is not None
    assert "the broker at redis://:**@127.0.0.1:1/0 does not answer" in found.reason
    assert not found.at_work


def test_what_is_old_is_asked_again(tmp_path: Path) -> None:
    roll = RollCall(Settings(home=tmp_path), fresh_seconds=0.0)
    first = roll.wait(20)
    assert roll.wait(20) == first
    assert roll.wait(20) is not first

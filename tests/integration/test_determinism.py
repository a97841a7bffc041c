"""Same seed, same export (but for decision_ms), whatever the number of workers and whoever is killed on the way."""

import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from tests.homes import Home

pytestmark = pytest.mark.integration
CAMPAIGN = ("--domain", "source-location", "--runs", "8", "--budget", "12", "--particles", "200", "--seed", "11")
EXPERIMENTS = 96


@pytest.fixture(scope="module")
def undisturbed() -> list[list[dict[str, str]]]:
    """The export of the campaign on one worker process, made by the first test that asks for it."""
    return []


@pytest.fixture
def expected(undisturbed: list[list[dict[str, str]]], make_home: "Callable[..., Home]") -> list[dict[str, str]]:
    if not undisturbed:
        home = make_home("undisturbed")
        home.start("worker", "--processes", "1")
        campaign = home.create(*CAMPAIGN)
        home.finish(campaign)
        undisturbed.append(home.export(campaign))
        home.close()
    assert len(undisturbed[0]) == EXPERIMENTS
    return undisturbed[0]


def test_two_worker_processes(home: "Home", expected: list[dict[str, str]]) -> None:
    home.start("worker", "--processes", "2")
    campaign = home.create(*CAMPAIGN)
    home.finish(campaign)
    assert home.export(campaign) == expected


def kill_pool(home: "Home") -> None:
    """The pool with all its children, at once."""
    (pool,) = home.pools()
    for process in [pool, *pool.children(recursive=True)]:
        process.kill()


def kill_pool_main(home: "Home") -> None:
    """The pool's main process alone: its children see that it is gone."""
    (pool,) = home.pools()
    pool.kill()


def kill_pool_child(home: "Home") -> None:
    """One child, the one at work if any is."""
    (pool,) = home.pools()
    max(pool.children(), key=lambda child: sum(child.cpu_times()[:2])).kill()


def kill_pool_and_cache(home: "Home") -> None:
    """The saved beliefs are a cache: they are folded anew."""
    kill_pool(home)
    shutil.rmtree(home.folder / "cache")


def kill_broker(home: "Home") -> None:
    """It is started again; the record knows what there is to do."""
    home.broker().kill()


def kill_broker_and_lose_its_messages(home: "Home") -> None:
    kill_broker(home)
    shutil.rmtree(home.folder / "broker" / "appendonlydir", ignore_errors=True)


@pytest.mark.parametrize(
    "disturbances",
    [
        pytest.param((kill_pool, kill_pool_and_cache), id="pool"),
        pytest.param((kill_pool_child, kill_pool_main), id="one process of the pool"),
        pytest.param((kill_broker, kill_broker_and_lose_its_messages), id="broker"),
    ],
)
def test_processes_killed_in_the_middle(
    home: "Home", expected: list[dict[str, str]], disturbances: "tuple[Callable[[Home], None], ...]"
) -> None:
    if disturbances[0] is kill_broker and not home.embedded:
        pytest.skip("the broker here is not the test's to kill: see tests/integration/test_survival.py")
    worker = home.start("worker", "--processes", "2")
    campaign = home.create(*CAMPAIGN)
    for share, disturb in zip((0.2, 0.5), disturbances, strict=True):
        status = home.follow(campaign, lambda found, share=share: found["progress"]["share"] >= share)
        assert status["progress"]["share"] < 0.8, "it was to be disturbed in the middle: make the campaign longer"
        disturb(home)
    home.finish(campaign)
    assert home.export(campaign) == expected
    home.stop(worker)
    assert home.empties(), "everything was to end in good order"


def test_a_worker_killed_is_followed_by_its_pool(home: "Home", expected: list[dict[str, str]]) -> None:
    """kill -9 of ``organon worker``: pool and broker go by themselves, and the next worker takes over."""
    worker = home.start("worker", "--processes", "1")
    campaign = home.create(*CAMPAIGN)
    home.follow(campaign, lambda found: found["progress"]["share"] >= 0.2)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert home.empties(), home.logs()
    home.start("worker", "--processes", "1")
    home.finish(campaign)
    assert home.export(campaign) == expected


def test_a_pool_that_cannot_work_is_given_up(home: "Home") -> None:
    """No endless circle of starts: the command ends with a message that names the log."""
    worker = home.start("worker", "--processes", "1")
    deadline = time.monotonic() + 60
    while worker.poll() is None and time.monotonic() < deadline:
        for pool in home.pools():
            with suppress(psutil.Error):
                pool.kill()
        time.sleep(0.05)
    assert worker.returncode == 2, home.logs()
    assert "5 times in a row" in home.logs()
    assert "worker.log" in home.logs()
    assert home.empties()

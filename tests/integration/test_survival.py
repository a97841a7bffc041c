"""Nothing lost, nothing twice: kill -9 at random moments, and domains that kill their workers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from domains import python_domains
from experiments_db import queries
from experiments_db.agreement import check_block, check_campaign
from experiments_db.block_rows import campaign_blocks
from experiments_db.differences import Difference
from tests.disturbance import PAIRS, Plan, disturbed_home, run_disturbed, undisturbed
from tests.homes import ROOT

if TYPE_CHECKING:
    from tests.homes import Home

pytestmark = pytest.mark.integration
PLAN = Plan(runs=90)  # 1,080 experiments


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    return undisturbed(tmp_path_factory.mktemp("undisturbed"), PLAN)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.timeout(600)
def test_killed_at_twenty_moments_the_export_is_that_of_an_undisturbed_run(
    tmp_path: Path, pair: str, expected: list[dict[str, str]]
) -> None:
    """Workers 20 times, the broker twice, the database once where it is a server. The event chains hold."""
    assert len(expected) == PLAN.experiments >= 1000
    with disturbed_home(tmp_path, pair, PLAN) as (home, servers):
        campaign = run_disturbed(home, servers, PLAN)
        found = home.export(campaign)
        places = [(row["run"], row["step"]) for row in found]
        assert len(set(places)) == len(places) == PLAN.experiments, "none missing, none doubled"
        assert found == expected
        assert home.status(campaign)["finding"]
        assert differences(home, campaign) == [], "chain and tables"


def differences(home: "Home", campaign: str) -> list[Difference]:
    """What is wrong with the event chains of a campaign, or between them and the tables."""
    with home.record() as database, database.read() as session:
        own = check_campaign(session, queries.get_campaign(session, campaign))
        assert own.events, "there is a log"
        blocks = [queries.get_block(session, block) for block in campaign_blocks(session, campaign)]
        parts = [own, *(check_block(session, block, own.logged.older) for block in blocks)]
        return [found for part in parts for found in part.differences]


POISON = """
from domains.python_domains import PythonDomain

class Poison(PythonDomain):
    code = ("poison_laws",)
    def simulator(self, domain):
        from poison_laws import Laws
        return Laws(domain.name)
"""
POISON_LAWS = """
import ctypes
import os
import signal

from domains.simulators import Simulator

class Laws(Simulator):
    def __init__(self, kind):
        self.kind = kind

    def sample(self, mechanism, p, designs, uniforms):
        if self.kind == "crashes":
            ctypes.string_at(0)
        if self.kind == "is-killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind == "hangs":
            ctypes.PyDLL(None).pause()  # with the interpreter's lock: no thread of ours runs meanwhile
        eaten = []
        while True:
            eaten.append(bytearray(b"x") * (64 << 20))

    def log_likelihood(self, mechanism, p, designs, outcomes):
        return 0.0 * p["a"]
"""
POISON_DOCUMENT = """
format: 1
name: {name}
designs: {{t: {{real: [0, 1]}}}}
parameters: {{a: {{prior: {{normal: [0, 1]}}}}}}
mechanisms: {{law: {{}}}}
outcomes: {{y: {{}}}}
python: poison
budget: 2
goal: learn
"""
REASONS = {
    "crashes": "signal 11 (SIGSEGV)",
    "is-killed": "signal 9 (SIGKILL)",
    "hangs": "ORGANON_STEP_LIMIT_SECONDS",
    "eats": "ORGANON_MEMORY_LIMIT_MB",
}


@pytest.fixture
def poisons(tmp_path: Path) -> dict[str, str]:
    """Domains that ruin their workers, in a package as pip would leave it: name → document."""
    package = tmp_path / "package"
    metadata = package / "poison-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: poison\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{python_domains.GROUP}]\npoison = poison_domain:Poison\n")
    (package / "poison_domain.py").write_text(POISON)
    (package / "poison_laws.py").write_text(POISON_LAWS)
    documents = {}
    for name in REASONS:
        path = tmp_path / f"{name}.yaml"
        path.write_text(POISON_DOCUMENT.format(name=name))
        documents[name] = str(path)
    return documents


@pytest.mark.timeout(600)
def test_poison_ends_its_own_campaign_and_nothing_else(
    make_home: "Callable[..., Home]", poisons: dict[str, str], tmp_path: Path
) -> None:
    limits = {"ATTEMPTS": "2", "RETRY_SECONDS": "0.2", "STEP_LIMIT_SECONDS": "12", "MEMORY_LIMIT_MB": "2000"}
    home = make_home(**{f"ORGANON_{name}": value for name, value in limits.items()})
    home.environment["PYTHONPATH"] = f"{ROOT}:{tmp_path / 'package'}"
    home.start("worker", "--processes", "2")
    ill = {name: home.create("--domain", path, "--particles", "100") for name, path in poisons.items()}
    well = home.create("--domain", "enzyme-kinetics", "--runs", "4", "--budget", "3", "--particles", "200")
    assert home.finish(well)["progress"]["experiments"] == 12
    for name, campaign in ill.items():
        failed = home.await_end(campaign)
        assert failed["status"] == "failed"
        assert REASONS[name] in failed["message"], failed["message"]
        if name != "eats":  # which Python noticed, so that one attempt told all
            assert "its worker died 2 times in a row" in failed["message"]
            assert f"organon campaign retry {campaign}" in failed["message"]
    assert home.json("campaign", "retry", ill["crashes"])["status"] == "retried"
    assert home.await_end(ill["crashes"])["status"] == "failed", "it is poison still"
    again = home.create("--domain", "enzyme-kinetics", "--budget", "2", "--particles", "100")
    home.finish(again)

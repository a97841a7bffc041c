"""Domains whose laws are Python: found by entry point, held to the conformance suite, and believed like any other."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from domains import python_domains
from domains.conformance import check_domain
from domains.document import Domain
from domains.errors import DocumentError, DomainError
from domains.loading import find, load_text
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.laboratory import Simulation
from meta_learner.policies.expected_information_gain import ExpectedInformationGain, Search
from meta_learner.rollout import BlockState, BlockSteps, rollout

HEAD = """
format: 1
name: toy
designs: {t: {real: [0.1, 5]}}
parameters:
  a: {prior: {lognormal: [1, 0.5]}}
  k: {prior: {lognormal: [-0.5, 0.5]}}
  noise: 0.1
budget: 4
goal: learn
"""
DOCUMENT = (
    HEAD
    + """
mechanisms: {exponential: {let: {m: a * exp(-k * t)}}, power: {let: {m: a * (1 + t) ** -k}}}
outcomes: {y: {normal: {mean: m, sd: noise}}}
"""
)
PYTHON = HEAD + "mechanisms: {exponential: {}, power: {}}\noutcomes: {y: {unit: mV}}\npython: toy\n"
MODULE = """
import math
from domains.python_domains import PythonDomain

class Toy(PythonDomain):
    code = ("toy_laws",)
    def simulator(self, domain):
        from toy_laws import Laws
        return Laws()

class NoDomain:
    pass

class Broken(PythonDomain):
    def __init__(self):
        raise ValueError("no licence")
    def simulator(self, domain):
        raise AssertionError
"""
LAWS = """
import math
import torch
from domains.simulators import Simulator

class Laws(Simulator):
    def mean(self, mechanism, p, designs):
        t = designs[..., 0]
        return p["a"] * torch.exp(-p["k"] * t) if mechanism == "exponential" else p["a"] * (1 + t) ** -p["k"]

    def sample(self, mechanism, p, designs, uniforms):
        return (self.mean(mechanism, p, designs) + p["noise"] * torch.special.ndtri(uniforms[..., 0, 0]))[..., None]

    def log_likelihood(self, mechanism, p, designs, outcomes):
        z = (outcomes[..., 0] - self.mean(mechanism, p, designs)) / p["noise"]
        density = -0.5 * z.square() - p["noise"].log() - 0.5 * math.log(2 * math.pi)
        return torch.where(outcomes[..., 0].isnan(), 0.0, density)
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package as pip would leave it: a module, its laws, and entry points."""
    metadata = tmp_path / "toy-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    points = "toy = toy_domain:Toy\nno-domain = toy_domain:NoDomain\nbroken = toy_domain:Broken\nabsent = nowhere:X\n"
    (metadata / "entry_points.txt").write_text(f"[{python_domains.GROUP}]\n{points}")
    (tmp_path / "toy_domain.py").write_text(MODULE)
    (tmp_path / "toy_laws.py").write_text(LAWS)
    monkeypatch.syspath_prepend(str(tmp_path))
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    """As in a new process."""
    python_domains._installed.cache_clear()
    python_domains._loaded.cache_clear()
    for module in ("toy_domain", "toy_laws"):
        sys.modules.pop(module, None)


def states(domain: Domain, seed: int = 3) -> list[BlockState]:
    model = DomainModel(domain)
    laboratory = Simulation(model, seed=seed, block=0, runs=3)
    settings = BeliefSettings(particles=300)
    policy = ExpectedInformationGain(Search(single=False, grid=False, ascents=0))  # as laws in Python are planned for
    steps = BlockSteps(model, policy, laboratory, budget=domain.budget, seed=seed, block=0, settings=settings)
    return list(rollout(steps, 3))


@pytest.mark.usefixtures("installed")
def test_the_same_laws_written_in_python_give_the_same_runs() -> None:
    """Designs, outcomes and beliefs of two rivals, planned by expected information, step by step."""
    for written, coded in zip(states(load_text(DOCUMENT)), states(load_text(PYTHON)), strict=True):
        torch.testing.assert_close(coded.belief.history.designs, written.belief.history.designs)
        torch.testing.assert_close(coded.belief.history.outcomes, written.belief.history.outcomes)
        torch.testing.assert_close(coded.belief.log_probability, written.belief.log_probability, rtol=1e-6, atol=1e-8)


def test_the_identity_follows_document_and_code(installed: Path) -> None:
    before = load_text(PYTHON).identity
    assert load_text(PYTHON + "\n# a comment\n").identity == before
    assert load_text(PYTHON.replace("budget: 4", "budget: 5")).identity != before
    laws = installed / "toy_laws.py"
    laws.write_text(laws.read_text().replace("1 + t", "2 + t"))
    forget()
    assert load_text(PYTHON).identity != before


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no-domain", "not a PythonDomain"),
        ("broken", "ValueError: no licence"),
        ("absent", "No module named 'nowhere'"),
        ("tou", "no Python domain 'tou' here"),
    ],
)
def test_a_class_that_cannot_be_had_is_a_problem_of_the_document(name: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message) as raised:
        load_text(PYTHON.replace("python: toy", f"python: {name}"))
    assert raised.value.problems[0].path == "python"


@pytest.mark.usefixtures("installed")
def test_a_document_with_python_laws_has_none_of_its_own() -> None:
    with pytest.raises(DocumentError, match="let and dynamics have no use") as raised:
        load_text(PYTHON.replace("power: {}", "power: {let: {m: a}}"))
    assert raised.value.problems[0].path == "mechanisms.power"
    with pytest.raises(DocumentError, match="unknown key 'normal'"):
        load_text(PYTHON.replace("{unit: mV}", "{normal: {mean: a, sd: 1}}"))


RETURN = "return torch.where(outcomes"
FAULTS = {
    "draws do not follow": ('p["noise"] * torch.special', '1.4 * p["noise"] * torch.special'),
    "depends on the other rows": (RETURN, "density = density - density.mean()\n        " + RETURN),
    "must be": ("uniforms[..., 0, 0]))[..., None]", "uniforms[..., 0, 0]))"),
    "has a log-likelihood other than 0": ("isnan(), 0.0, density)", "isnan(), -1.0, density)"),
    "give different outcomes": ("torch.special.ndtri(uniforms[..., 0, 0])", "torch.randn(uniforms.shape[:-2])"),
    "have no finite log-likelihood": ("density = -0.5 * z", "density = outcomes[..., 0].sqrt() - 0.5 * z"),
    "both must be torch.float64": ("uniforms[..., 0, 0]))[..., None]", "uniforms[..., 0, 0]))[..., None].float()"),
    "times 7.39, not 1": ("density = -0.5 * z", "density = 2.0 - 0.5 * z"),
    "KeyError": ('p["a"] * torch.exp', 'p["b"] * torch.exp'),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_conformance_suite_finds_each_fault(installed: Path, fault: str) -> None:
    laws = installed / "toy_laws.py"
    right, wrong = FAULTS[fault]
    assert right in LAWS
    laws.write_text(LAWS.replace(right, wrong))
    assert any(fault in problem for problem in check_domain(load_text(PYTHON)))


@pytest.mark.usefixtures("installed")
def test_right_laws_pass_the_conformance_suite() -> None:
    assert check_domain(load_text(PYTHON)) == []


PAIR = """
import math
import torch
from domains.simulators import Simulator

class Laws(Simulator):
    def sample(self, mechanism, p, designs, uniforms):
        return (p["a"] * designs[..., 0])[..., None] + torch.special.ndtri(uniforms[..., 0])

    def log_likelihood(self, mechanism, p, designs, outcomes):
        density = -0.5 * (outcomes - (p["a"] * designs[..., 0])[..., None]).square() - 0.5 * math.log(2 * math.pi)
        return torch.where(outcomes.isnan(), 0.0, density).sum(-1)

    def expectation(self, mechanism, p, designs):
        return (p["a"] * designs[..., 0])[..., None].expand(*designs.shape[:-1], 2)
"""
BOTH = PYTHON.replace("{y: {unit: mV}}", "{y: {}, other: {}}").replace("goal: learn", "goal: {predict: {y: [{t: 1}]}}")
PAIR_FAULTS = {
    "integrate out what is missing": (".sum(-1)\n", ".sum(-1) * ~outcomes.isnan().any(-1)\n"),
    "expectation gives": ("[..., None].expand(", "[..., None].add(0.5).expand("),
}


@pytest.mark.parametrize("fault", [None, *PAIR_FAULTS])
def test_missing_outcomes_and_expectations_are_examined(installed: Path, fault: str | None) -> None:
    right, wrong = PAIR_FAULTS[fault] if fault else ("", "")
    assert right in PAIR
    (installed / "toy_laws.py").write_text(PAIR.replace(right, wrong) if fault else PAIR)
    problems = check_domain(load_text(BOTH))
    assert problems == [] if fault is None else any(fault in problem for problem in problems)


def test_a_goal_that_needs_expectations_is_refused_without(installed: Path) -> None:
    (installed / "toy_laws.py").write_text(PAIR[: PAIR.index("    def expectation")])
    with pytest.raises(DomainError, match="predict needs expected outcomes"):
        DomainModel(load_text(BOTH))


@pytest.mark.usefixtures("installed")
def test_unknowns_integrated_out_answer_one_goal_only() -> None:
    text = find("structural-causal").text.replace("goal: discriminate", "goal: learn")
    with pytest.raises(DomainError, match="the goal can only be discriminate"):
        DomainModel(load_text(text))

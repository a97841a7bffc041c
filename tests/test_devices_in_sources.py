"""What keeps the science able to run on any device, read off the sources: draws are made in one module, and numpy gets
only tensors that were brought to the CPU."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DRAWS = ROOT / "domains" / "randomness.py"
SOURCES = sorted(
    path for folder in ("domains", "meta_learner", "orchestrator", "ui") for path in (ROOT / folder).rglob("*.py")
)
DRAWING = {
    "rand", "randn", "randint", "rand_like", "randn_like", "randint_like", "randperm", "multinomial", "_standard_gamma",
    "bernoulli", "poisson", "normal", "binomial", "_sample_dirichlet", "Generator",
}  # fmt: skip
IN_PLACE = {"normal_", "uniform_", "random_", "exponential_", "bernoulli_", "geometric_", "log_normal_", "cauchy_"}


def faults(source: str, *, may_draw: bool = False) -> Iterator[str]:
    """What a source does that is not for every device, with its line."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, owner = node.func.attr, node.func.value
        of_torch = isinstance(owner, ast.Name) and owner.id == "torch"
        of_quasirandom = isinstance(owner, ast.Attribute) and owner.attr == "quasirandom"
        if not may_draw and ((of_torch and name in DRAWING) or of_quasirandom or name in IN_PLACE | {"multinomial"}):
            yield f"line {node.lineno}: {name} draws; domains.randomness does"
        if name == "numpy" and not _on_cpu(owner):
            yield f"line {node.lineno}: .numpy() of what .cpu() did not bring"
        if of_torch and name == "from_numpy" and not may_draw and not _moved(source, node):
            yield f"line {node.lineno}: from_numpy without .to(device)"


def _on_cpu(owner: ast.expr) -> bool:
    return isinstance(owner, ast.Call) and isinstance(owner.func, ast.Attribute) and owner.func.attr == "cpu"


def _moved(source: str, call: ast.Call) -> bool:
    """Whether ``.to(…)`` is called on the result."""
    return any(
        isinstance(node, ast.Attribute) and node.attr == "to" and ast.dump(node.value) == ast.dump(call)
        for node in ast.walk(ast.parse(source))
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_source_draws_by_the_module_and_hands_numpy_cpu_tensors(path: Path) -> None:
    assert list(faults(path.read_text(), may_draw=path == DRAWS)) == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("torch.rand((2, 3), generator=g)", 1),
        ("torch.Generator().manual_seed(0)", 1),
        ("weights.multinomial(2)", 1),
        ("x.uniform_()", 1),
        ("torch.quasirandom.SobolEngine(2)", 1),
        ("randomness.uniform((2, 3), g)", 0),
        ("x.detach().numpy()", 1),
        ("x.detach().cpu().numpy()", 0),
        ("x.cpu()[0].numpy()", 1),
        ("torch.from_numpy(a)", 1),
        ("torch.from_numpy(a).to(x.device)", 0),
    ],
)
def test_the_reader_sees_what_it_is_to_see(source: str, count: int) -> None:
    assert len(list(faults(source))) == count

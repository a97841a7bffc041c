"""What the sources must not have: pickle and its like, evaluators, shells, SQL put together from texts."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("domains", "meta_learner", "experiments_db", "orchestrator", "ui", "docker")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
UNREAL = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle"}
EVALUATORS = {"eval", "exec", "compile", "__import__"}
OF_MODULES = {
    ("torch", "load"), ("torch", "save"), ("numpy", "load"), ("np", "load"), ("pandas", "read_pickle"),
    ("yaml", "load"), ("yaml", "unsafe_load"), ("yaml", "full_load"), ("os", "system"), ("os", "popen"),
}  # fmt: skip
STATEMENTS = {"execute", "exec_driver_sql", "executescript", "executemany", "scalar", "scalars"}
# Statements whose parts are not parameters anywhere in SQL, each made of names of ours alone.
MADE_OF_OUR_NAMES = {
    "experiments_db/database.py": "PRAGMA of a constant list",
    "experiments_db/schema.py": "the number of an advisory lock",
}


def faults(tree: ast.AST) -> Iterator[str]:
    """What a source does that none of ours may, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            if found := {name.split(".")[0] for name in named} & UNREAL:
                yield f"line {node.lineno}: imports {', '.join(found)}"
        if isinstance(node, ast.Call):
            yield from _call_faults(node)


def _call_faults(node: ast.Call) -> Iterator[str]:
    function = node.func
    if isinstance(function, ast.Name) and function.id in EVALUATORS:
        yield f"line {node.lineno}: {function.id}"
    owner = function.value if isinstance(function, ast.Attribute) else None
    if isinstance(owner, ast.Name) and (owner.id, function.attr) in OF_MODULES:
        yield f"line {node.lineno}: {owner.id}.{function.attr}"
    for keyword in node.keywords:
        on = not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
        if keyword.arg in {"shell", "allow_pickle"} and on:
            yield f"line {node.lineno}: {keyword.arg}="


def built_statements(tree: ast.AST) -> Iterator[int]:
    """Lines on which a database is handed a text that was put together there."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
            continue
        of_another = isinstance(node.func, ast.Attribute)
        name = node.func.attr if of_another else node.func.id
        if name in (STATEMENTS if of_another else {"text"}) and node.args and _is_put_together(node.args[0]):
            yield node.lineno


def _is_put_together(value: ast.expr) -> bool:
    if isinstance(value, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in value.values)
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Mod):
        return any(isinstance(side, ast.Constant | ast.JoinedStr) for side in (value.left, value.right))
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "format"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sources(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert list(faults(tree)) == []
    if str(path.relative_to(ROOT)) not in MADE_OF_OUR_NAMES:
        assert list(built_statements(tree)) == []


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from joblib import load", "import a, marshal", "eval('1')", "exec(text)", "torch.load(path)",
     "yaml.load(text)", "subprocess.run(command, shell=True)", "numpy.lib.format.read(file, allow_pickle=given)"],
)  # fmt: skip
def test_the_reading_finds(source: str) -> None:
    assert len(list(faults(ast.parse(source)))) == 1


@pytest.mark.parametrize(
    "source",
    ["session.execute(f'select {name}')", "connection.exec_driver_sql('select ' + name)", "text('a %s' % name)",
     "cursor.execute('select {}'.format(name))"],
)  # fmt: skip
def test_the_reading_finds_built_statements(source: str) -> None:
    assert list(built_statements(ast.parse(source))) == [1]


@pytest.mark.parametrize(
    "source", ["session.execute(select(Run))", "x.execute('select 1')", "re.compile('a')", "run(a)"]
)
def test_the_reading_leaves_alone(source: str) -> None:
    tree = ast.parse(source)
    assert list(faults(tree)) == []
    assert list(built_statements(tree)) == []

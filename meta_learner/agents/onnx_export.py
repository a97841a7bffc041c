"""The network of an agent as an ONNX file: the fields of ``Table`` in, logits and value out, any numbers of rows,
designs and hypotheses. Needs the extra ``onnx``."""

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from domains import randomness
from meta_learner.agents.card import AgentError
from meta_learner.agents.families import family_of
from meta_learner.agents.loading import load_network
from meta_learner.agents.store import Stored
from meta_learner.evaluation.processes import one_thread
from meta_learner.experimenter.features import GOALS, Table, of_games
from meta_learner.games.random_tables import Size, random_games

EXTRA = "pip install -c constraints.txt -e '.[onnx]' in Organon's checkout"
TIMED = 64  # designs and hypotheses of the table that is timed
INPUTS = tuple(field.name for field in fields(Table))
OUTPUTS = ("logits", "value")
_NAMED = {3: "rows", 11: "designs", 13: "hypotheses"}  # the sizes of the first of two tables that tell axes apart
_TOLERANCE = 1e-4  # between torch and onnxruntime, both in single precision; of logits that differ by about 10
_REPEATS = 51

Numbers = dict[str, Any]  # input → array


@dataclass(frozen=True)
class Exported:
    """bytes: of the file. difference: the largest between torch's and onnxruntime's outputs; milliseconds: the median
    of onnxruntime, and torch's, for one row of 64 × 64 on one thread. None where onnxruntime is not installed."""

    file: str
    bytes: int
    difference: float | None
    milliseconds: float | None
    torch_milliseconds: float


class _OfFields(nn.Module):
    """The network as a function of the table's fields."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *numbers: Tensor) -> Any:
        return self.network(Table(*numbers))


def export(stored: Stored, file: Path) -> Exported:
    """Write the agent's network to a file and hold it to torch's outputs.

    AgentError where the family's network is no function of a table, the extra is missing, or outputs differ by more
    than 1e-4; no file is left then.
    """
    _check(stored)
    network = _OfFields(load_network(stored)).eval()
    draft = file.with_name(f".{file.name}.partial")
    try:
        _write(network, draft)
        difference, milliseconds = None, None
        if find_spec("onnxruntime") is not None:
            run = _session(draft)
            difference, milliseconds = _difference(network, run), _timed(lambda table: run(_arrays(table)))
        draft.replace(file)
    except OSError as error:
        raise AgentError(f"{file} cannot be written ({error.strerror or error}); name another file") from None
    finally:
        draft.unlink(missing_ok=True)
    with torch.no_grad():
        own = _timed(lambda table: network(*_fields(table)))
    return Exported(str(file), file.stat().st_size, difference, milliseconds, own)


def _check(stored: Stored) -> None:
    if not family_of(stored.card).of_table:
        raise AgentError(
            f"the agent {stored.name!r} is of the family {stored.card.family!r}, whose networks look at histories and "
            "not at tables; only those of tables can be exported"
        )
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise AgentError(f"{' and '.join(missing)} are not installed, which write the file; get them by: {EXTRA}")


def _write(network: nn.Module, file: Path) -> None:
    first, second = (_fields(_table(*sizes)) for sizes in (tuple(_NAMED), (4, 7, 5)))
    named = {size: torch.export.Dim(name) for size, name in _NAMED.items()}
    shapes = tuple(
        {
            axis: named[size]
            for axis, (size, other) in enumerate(zip(one.shape, two.shape, strict=True))
            if size != other
        }
        for one, two in zip(first, second, strict=True)
    )
    with _quiet():
        torch.onnx.export(
            network,
            first,
            file,
            dynamo=True,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_shapes=(shapes,),
            external_data=False,
            verbose=False,
        )


def _table(rows: int, designs: int, hypotheses: int) -> Table:
    """A decision in random games of these sizes."""
    size = Size(hypotheses=hypotheses, designs=designs, experiments=2)
    games = random_games("flat", size, rows, randomness.generator(0))
    return of_games(games, games.prior[:, None], games.budget[:, None], GOALS[0])


def _fields(table: Table) -> tuple[Tensor, ...]:
    return tuple(getattr(table, name) for name in INPUTS)


def _arrays(table: Table) -> Numbers:
    return {name: value.cpu().numpy() for name, value in zip(INPUTS, _fields(table), strict=True)}


def _session(file: Path) -> Callable[[Numbers], Any]:
    """The file as onnxruntime runs it, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    return lambda numbers: session.run(list(OUTPUTS), numbers)


@torch.no_grad()
def _difference(network: nn.Module, run: Callable[[Numbers], Any]) -> float:
    """The largest over tables of several sizes; AgentError where it is too large, or designs are closed differently."""
    largest = 0.0
    for sizes in ((1, 2, 3), (2, 7, 5), (3, 11, 13), (1, TIMED, TIMED)):
        table = _table(*sizes)
        for name, wanted, found in zip(OUTPUTS, network(*_fields(table)), run(_arrays(table)), strict=True):
            here = torch.as_tensor(found)
            gap = torch.where(wanted.cpu() == here, 0.0, (wanted.cpu() - here).abs()).amax().item()
            if not gap <= _TOLERANCE:
                raise AgentError(
                    f"{name} of the exported network differ from torch's by {gap:g}, more than {_TOLERANCE:g}, for "
                    f"{sizes[1]} designs × {sizes[2]} hypotheses; nothing was written"
                )
            largest = max(largest, gap)
    return largest


def _timed(decide: Callable[[Table], Any]) -> float:
    """The median of one decision of 64 × 64, in milliseconds."""
    table, seconds = _table(1, TIMED, TIMED), []
    with one_thread():
        for _ in range(_REPEATS):
            started = time.perf_counter()
            decide(table)
            seconds.append(time.perf_counter() - started)
    return 1000.0 * median(seconds)


@contextmanager
def _quiet() -> Iterator[None]:
    """Inside, torch's exporter warns of nothing: its warnings are about its own workings."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log.setLevel(logging.ERROR)
        try:
            yield
        finally:
            log.setLevel(level)

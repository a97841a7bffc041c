"""ONNX: the file gives what torch gives, for tables of any size; what is missing is said."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from domains import randomness
from meta_learner.agents.card import AgentError
from meta_learner.agents.loading import load_network, packed
from meta_learner.agents.onnx_export import INPUTS, OUTPUTS, _arrays, _session, _table, export
from meta_learner.agents.store import Store, Stored
from meta_learner.experimenter.network import Experimenter, Shape
from tests.tiny_agents import TRAINING, tiny

SMALL = {"width": 16, "heads": 2, "layers": 1}
WRITES = all(find_spec(name) for name in ("onnx", "onnxscript"))
RUNS = find_spec("onnxruntime") is not None


@pytest.fixture
def learner(tmp_path: Path) -> Stored:
    network, stream = Experimenter(Shape(**SMALL)), randomness.generator(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.3 * randomness.normal(parameter.shape, stream))
    card, weights = packed(network, name="learner", family="experimenter", options=SMALL, training=TRAINING)
    return Store(tmp_path / "own", tmp_path / "none").save(card, weights)


@pytest.mark.skipif(not (WRITES and RUNS), reason="needs the extra onnx")
def test_the_file_gives_what_torch_gives(learner: Stored, tmp_path: Path) -> None:
    file = tmp_path / "learner.onnx"
    done = export(learner, file)
    assert done.bytes == file.stat().st_size
    assert done.difference is not None
    assert done.difference < 1e-4
    assert done.milliseconds is not None
    network, run = load_network(learner), _session(file)
    for sizes in ((1, 1, 1), (5, 3, 40), (2, 100, 2)):
        table = _table(*sizes)
        with torch.no_grad():
            wanted = network(table)
        for one, other in zip(wanted, run(_arrays(table)), strict=True):
            torch.testing.assert_close(torch.as_tensor(other), one, atol=1e-4, rtol=1e-4)
    assert set(_arrays(_table(1, 2, 3))) == set(INPUTS)
    assert OUTPUTS == ("logits", "value")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["learner.onnx", "own"]


@pytest.mark.skipif(WRITES, reason="the extra onnx is there")
def test_without_the_extra_it_says_what_to_install(learner: Stored, tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=r"onnx.* not installed.*pip install -c constraints.txt -e '.\[onnx\]'"):
        export(learner, tmp_path / "learner.onnx")
    assert not (tmp_path / "learner.onnx").exists()


def test_only_networks_of_tables_are_exported(tmp_path: Path) -> None:
    stored = Store(tmp_path / "own", tmp_path / "none").save(*tiny())
    with pytest.raises(AgentError, match="of the family 'tiny', whose networks look at histories"):
        export(stored, tmp_path / "tiny.onnx")


@pytest.mark.skipif(not WRITES, reason="needs the extra onnx")
def test_a_place_that_cannot_be_written(learner: Stored, tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="cannot be written"):
        export(learner, tmp_path / "no" / "learner.onnx")

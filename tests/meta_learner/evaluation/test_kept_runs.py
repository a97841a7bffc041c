"""Kept runs come back as they were, go on where they were interrupted, and never mix with those of another setting."""

from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import numpy
import pytest

from domains.errors import DomainError
from domains.loading import dump, find
from meta_learner.belief import BeliefSettings
from meta_learner.evaluation import kept_runs
from meta_learner.evaluation.calibration import JudgedPart, JudgedRun, Part, judged_parts, parts, timed_part
from meta_learner.evaluation.kept_runs import KeptRuns, Setting, code_identity
from meta_learner.evaluation.processes import Tell, silent

FEW = BeliefSettings(particles=50, moves=1)
SETTING = Setting.of("random", 4, FEW, 3)
JOB = partial(timed_part, policy="random", seed=4, settings=FEW)


def same(one: JudgedRun, other: JudgedRun) -> bool:
    return all(
        numpy.array_equal(getattr(one, field.name), getattr(other, field.name))
        and type(getattr(one, field.name)) is type(getattr(other, field.name))
        for field in fields(JudgedRun)
    )


@pytest.mark.parametrize("name", ["enzyme-kinetics", "structural-causal"])
def test_runs_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    """Laws with other parameters beside each other, and an exact belief, which has no ranks."""
    kept, part = KeptRuns(tmp_path, SETTING, [name]), Part(name, 1, 3)
    assert kept.load(part) is None
    judged = JOB(part)
    kept.save(judged)
    found = KeptRuns(tmp_path, SETTING, [name]).load(part)
    assert found is not None
    assert found.seconds == judged.seconds > 0
    assert len(found.runs) == 3
    assert all(same(one, other) for one, other in zip(found.runs, judged.runs, strict=True))
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}-block-0001-of-3.safetensors"]


def test_what_was_interrupted_goes_on_and_gives_the_same_runs(tmp_path: Path) -> None:
    wanted = parts({"death-process": 5, "pharmacokinetics": 4}, 3)
    investigated: list[Part] = []

    def interrupted(part: Part, tell: Tell = silent, *, after: int) -> JudgedPart:
        if len(investigated) == after:
            raise KeyboardInterrupt
        investigated.append(part)
        return JOB(part, tell)

    def keeper() -> KeptRuns:
        return KeptRuns(tmp_path, SETTING, ["death-process", "pharmacokinetics"])

    with pytest.raises(KeyboardInterrupt):
        judged_parts(partial(interrupted, after=2), wanted, keeper=keeper())
    assert keeper().parts() == wanted[:2]
    told: list[Part] = []
    found = judged_parts(
        partial(interrupted, after=9), wanted, keeper=keeper(), done=lambda judged: told.append(judged.part)
    )
    assert investigated == wanted == told
    plain = judged_parts(JOB, wanted)
    for one, other in zip(found, plain, strict=True):
        assert one.part == other.part
        assert all(same(run, again) for run, again in zip(one.runs, other.runs, strict=True))


def test_processes_keep_what_one_process_keeps(tmp_path: Path) -> None:
    wanted = parts({"death-process": 8}, 3)
    kept = KeptRuns(tmp_path, SETTING, ["death-process"])
    found = judged_parts(JOB, wanted, processes=2, keeper=kept)
    assert kept.parts() == wanted
    alone = judged_parts(JOB, wanted)
    for one, other in zip(found, alone, strict=True):
        assert all(same(run, again) for run, again in zip(one.runs, other.runs, strict=True))


def test_of_two_sizes_of_a_block_which_share_their_draws_one_is_reported(tmp_path: Path) -> None:
    kept = KeptRuns(tmp_path, SETTING, ["death-process"])
    for part in (Part("death-process", 0, 2), Part("death-process", 0, 3), Part("death-process", 1, 1)):
        kept.save(JOB(part))
    assert kept.parts() == [Part("death-process", 0, 3), Part("death-process", 1, 1)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 5}, "its runs have seed 4, and 5 is asked for"),
        ({"policy": "sobol"}, "its runs have policy random, and sobol is asked for"),
        ({"particles": 60}, "its runs have particles 50, and 60 is asked for"),
        ({"block_runs": 10}, "its runs have block_runs 3, and 10 is asked for"),
        ({"code": "0"}, f"its runs have code {code_identity()}, and 0 is asked for"),
    ],
)
def test_another_setting_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    KeptRuns(tmp_path, SETTING, ["death-process"]).save(JOB(Part("death-process", 0, 1)))
    with pytest.raises(DomainError, match=message):
        KeptRuns(tmp_path, replace(SETTING, **change), ["ces"])  # type: ignore[arg-type]


def test_another_document_of_the_name_is_refused_where_it_is_asked_for(tmp_path: Path) -> None:
    KeptRuns(tmp_path / "kept", SETTING, ["death-process"]).save(JOB(Part("death-process", 0, 1)))
    own = tmp_path / "death-process.yaml"
    own.write_text(dump(find("death-process")).replace("budget: 4", "budget: 3"), encoding="utf-8")
    assert find(str(own)).budget == 3
    with pytest.raises(DomainError, match="its runs have identity"):
        KeptRuns(tmp_path / "kept", SETTING, [str(own)])
    assert KeptRuns(tmp_path / "kept", SETTING, ["ces"]).parts() == []


def test_files_that_hold_no_runs_are_named(tmp_path: Path) -> None:
    (tmp_path / "other.safetensors").write_bytes(b"nothing")
    with pytest.raises(DomainError, match=r"other\.safetensors cannot be read as kept runs"):
        KeptRuns(tmp_path, SETTING, ["ces"])


def test_the_code_of_runs_is_known_by_its_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("domains/a.py", "meta_learner/smc.py", "meta_learner/evaluation/page.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one")
    monkeypatch.setattr(kept_runs, "_ROOT", tmp_path)

    def identity() -> str:
        code_identity.cache_clear()
        return code_identity()

    try:
        before = identity()
        (tmp_path / "meta_learner/evaluation/page.py").write_text("two")
        assert identity() == before
        (tmp_path / "meta_learner/smc.py").write_text("two")
        assert identity() != before
    finally:
        code_identity.cache_clear()

"""Laboratories by name: ``simulate``, or ``replay:NAME`` for a table of real measurements."""

from collections.abc import Mapping

from domains.worlds import DomainModel
from meta_learner.laboratory import Laboratory, Simulation
from orchestrator.laboratories.replay import ReplayLaboratory


def open_laboratory(
    model: DomainModel, name: str, *, seed: int, block: int, runs: int, attachments: Mapping[str, str]
) -> Laboratory:
    """The laboratory for one block of runs; its name was checked when the campaign was created.

    attachments: file name → text of the domain's tables.
    """
    kind, _, replay = name.partition(":")
    if kind == "simulate":
        return Simulation(model, seed=seed, block=block, runs=runs)
    return ReplayLaboratory.read(model, replay, attachments)

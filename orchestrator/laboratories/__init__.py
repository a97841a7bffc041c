"""Laboratories by name: ``simulate``, ``replay:NAME`` for a table of real measurements, or ``none``."""

from collections.abc import Mapping

from domains.worlds import DomainModel, Worlds
from meta_learner.laboratory import Laboratory, Simulation
from orchestrator.laboratories.none import NoLaboratory
from orchestrator.laboratories.replay import ReplayLaboratory


def open_laboratory(
    model: DomainModel,
    name: str,
    *,
    seed: int,
    block: int,
    runs: int,
    attachments: Mapping[str, str],
    worlds: Worlds | None = None,
) -> Laboratory:
    """The laboratory for one block of runs; its name was checked when the campaign was created.

    attachments: file name → text of the domain's tables; worlds: those to simulate, where they are not drawn anew.
    """
    kind, _, replay = name.partition(":")
    if kind == "simulate":
        return Simulation(model, seed=seed, block=block, runs=runs, worlds=worlds)
    if kind == "none":
        return NoLaboratory(model)
    return ReplayLaboratory.read(model, replay, attachments)

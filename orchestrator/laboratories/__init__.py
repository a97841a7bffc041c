"""Laboratories by name: ``simulate``, ``replay:NAME`` for a table of real measurements, ``manual`` for a person,
``command:NAME`` for a program, or ``none``."""

from collections.abc import Mapping

from domains.worlds import DomainModel, Worlds
from meta_learner.laboratory import Laboratory, Simulation
from orchestrator.commands import Command
from orchestrator.laboratories.command import CommandLaboratory
from orchestrator.laboratories.manual import ManualLaboratory
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
    command: Command | None = None,
) -> Laboratory:
    """The laboratory for one block of runs; its name was checked when the campaign was created.

    attachments: file name → text of the domain's tables; worlds: those to simulate, where they are not drawn anew;
    command: the program of ``command:NAME``.
    """
    kind, _, which = name.partition(":")
    if kind == "simulate":
        return Simulation(model, seed=seed, block=block, runs=runs, worlds=worlds)
    if kind == "none":
        return NoLaboratory(model)
    if kind == "manual":
        return ManualLaboratory()
    if kind == "command":
        assert command is not None
        return CommandLaboratory(which, command)
    return ReplayLaboratory.read(model, which, attachments)

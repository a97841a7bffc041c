"""Ordinary differential equations of a mechanism, integrated for a whole batch at once.

Every element of the batch takes its own steps (torchode: Tsitouras 2011, order 5, with an integral controller). What
the explicit method cannot do in a fair number of steps is stiff: a few such elements are integrated one by one by an
implicit method (scipy's Radau); where many are, the law is refused by name. An element whose rates leave the finite
numbers has no solution, and its states are NaN: likelihood zero.
"""

from collections.abc import Mapping
from typing import Any

import numpy
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from domains.compiler import Names, compile_expression
from domains.document import Dynamics
from domains.errors import DomainError

_RTOL, _ATOL = 1e-7, 1e-9  # outcome statistics then agree with a fine solution within 1e-4 relative
_MAX_STEPS = 1000
_STIFF_SHARE = 0.02  # of a batch that may be left to the implicit method, which takes milliseconds each
_STIFF_FLOOR = 8  # elements that may be, however small the batch


class CompiledDynamics:
    """One mechanism's dynamics: environment → the states when they are read out."""

    def __init__(self, mechanism: str, dynamics: Dynamics, names: Names) -> None:
        self._mechanism = mechanism
        self._vectors = names.vectors
        self._time = dynamics.time
        self.names = tuple(state.name for state in dynamics.states)
        self._starts = [compile_expression(state.start, names) for state in dynamics.states]
        self._rates = [compile_expression(state.rate, names) for state in dynamics.states]
        self._let = [(name, compile_expression(law, names)) for name, law in dynamics.let]
        self._times = [compile_expression(time, names) for time in (dynamics.at or (dynamics.until,)) if time]
        self.readouts = len(dynamics.at)  # 0: the states are read once, at ``until``
        inner = {dynamics.time, *self.names, *(name for name, _ in dynamics.let)}
        laws = [state.rate for state in dynamics.states] + [law for _, law in dynamics.let]
        self._used = frozenset(name for law in laws for name in law.names) - inner

    def solve(self, environment: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """State name → its values: of the broadcast shape of what the dynamics use, as many axes as anything in the
        environment has, with a leading axis over the times where they are read out ``at`` several."""
        starts = [start(environment) for start in self._starts]
        times = [time(environment) for time in self._times]
        used = {name: environment[name] for name in self._used}
        shapes = [value.shape[1:] if name in self._vectors else value.shape for name, value in used.items()]
        axes = max((value.dim() - (name in self._vectors) for name, value in environment.items()), default=0)
        shape = torch.broadcast_shapes((1,) * axes, *shapes, *(value.shape for value in (*starts, *times)))
        flat = {
            name: _spread(value, shape) if name in self._vectors else _flat(value, shape)
            for name, value in used.items()
        }
        begin = torch.stack([_flat(start, shape) for start in starts], dim=-1)
        when = torch.stack([_flat(time, shape) for time in times], dim=-1)
        states = self._integrate(flat, begin, when)  # [batch, times, states]
        columns = {name: states[..., index] for index, name in enumerate(self.names)}
        if self.readouts:
            return {name: column.T.reshape(self.readouts, *shape) for name, column in columns.items()}
        return {name: column[:, 0].reshape(shape) for name, column in columns.items()}

    def _integrate(self, flat: Mapping[str, Tensor], begin: Tensor, when: Tensor) -> Tensor:
        """States [batch, times, states] from ``begin`` [batch, states] at ascending times ``when`` [batch, times]."""
        result = torch.full((*when.shape, begin.shape[1]), torch.nan, dtype=torch.float64)
        sound = begin.isfinite().all(-1) & when.isfinite().all(-1) & (when[:, 0] >= 0)
        still = sound & (when[:, -1] == 0)
        result[still] = begin[still, None].expand(-1, when.shape[1], -1)
        rows = (sound & ~still).nonzero()[:, 0]
        stiff: list[Tensor] = []
        while len(rows) > 0:
            states, failed = self._explicit(_rows(flat, rows), begin[rows], when[rows])
            if not bool(failed.any()):
                result[rows] = states
                break
            stiff.append(rows[failed])  # one failure stops the whole batch: the others start again without it
            rows = rows[~failed]
            self._check_stiff(sum(len(part) for part in stiff), len(when))
        for row in torch.cat(stiff).tolist() if stiff else []:
            result[row] = self._implicit(_rows(flat, torch.tensor([row])), begin[row], when[row])
        return result

    def _check_stiff(self, count: int, batch: int) -> None:
        if count > max(_STIFF_FLOOR, _STIFF_SHARE * batch):
            raise DomainError(
                f"the dynamics of the law {self._mechanism!r} are stiff: {count} of {batch} solutions need more than "
                f"{_MAX_STEPS} steps. Narrow the priors, or replace the fast part by its equilibrium"
            )

    def _rate(self, flat: Mapping[str, Tensor], t: Tensor, y: Tensor) -> Tensor:
        environment: dict[str, Tensor] = {**flat, self._time: t, **dict(zip(self.names, y.unbind(-1), strict=True))}
        for name, law in self._let:
            environment[name] = law(environment)
        return torch.stack([rate(environment).expand(len(y)) for rate in self._rates], dim=-1)

    def _explicit(self, flat: Mapping[str, Tensor], begin: Tensor, when: Tensor) -> tuple[Tensor, Tensor]:
        """States [batch, times, states] and which elements took too many steps [batch].

        An element whose rates are not finite stands still from there on, and is NaN in the result.
        """
        import torchode

        lost = torch.zeros(len(begin), dtype=torch.bool)

        def rate(t: Tensor, y: Tensor) -> Tensor:
            change = self._rate(flat, t, y)
            lost.logical_or_(~change.isfinite().all(-1))
            return torch.where(lost[:, None], 0.0, change)

        term = torchode.ODETerm(rate)
        controller = torchode.IntegralController(atol=_ATOL, rtol=_RTOL, term=term)
        solver = torchode.AutoDiffAdjoint(torchode.Tsit5(term=term), controller, max_steps=_MAX_STEPS)
        solution = solver.solve(torchode.InitialValueProblem(y0=begin, t_eval=when, **_span(when)))
        states = torch.where(lost[:, None, None], torch.nan, solution.ys)
        return states, (solution.status != 0) & ~lost

    def _implicit(self, flat: Mapping[str, Tensor], begin: Tensor, when: Tensor) -> Tensor:
        """One stiff element: states [times, states]; NaN where even the implicit method finds no solution."""

        def rate(t: float, y: Any) -> Any:
            now = torch.tensor([t], dtype=torch.float64)
            return self._rate(flat, now, torch.as_tensor(numpy.asarray(y), dtype=torch.float64)[None])[0].numpy()

        solution = solve_ivp(
            rate, (0.0, when[-1].item()), begin.numpy(), method="Radau", t_eval=when.numpy(), rtol=_RTOL, atol=_ATOL
        )
        if not solution.success:
            return torch.full((len(when), len(begin)), torch.nan, dtype=torch.float64)
        return torch.as_tensor(solution.y.T, dtype=torch.float64)


def _span(when: Tensor) -> dict[str, Tensor]:
    return {"t_start": torch.zeros_like(when[:, 0]), "t_end": when[:, -1]}


def _flat(value: Tensor, shape: torch.Size) -> Tensor:
    return value.to(torch.float64).expand(shape).reshape(-1)


def _spread(vector: Tensor, shape: torch.Size) -> Tensor:
    """A vector's entries [entries, batch]."""
    return torch.stack([_flat(entry, shape) for entry in vector.unbind(0)])


def _rows(flat: Mapping[str, Tensor], rows: Tensor) -> dict[str, Tensor]:
    return {name: value[..., rows] for name, value in flat.items()}

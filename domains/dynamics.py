"""Ordinary differential equations of a mechanism, integrated for a whole batch at once.

Every element of the batch takes its own explicit steps (``runge_kutta``). What they cannot do in a fair number is
stiff: a few such elements are integrated one by one by an implicit method (scipy's Radau); where many are, the law is
refused by name. An element whose rates leave the finite numbers has no solution, and its states are NaN: likelihood
zero.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy
import torch
from torch import Tensor

from domains.compiler import Names, compile_expression
from domains.document import Dynamics
from domains.errors import DomainError
from domains.runge_kutta import Problems, Rate, integrate

_RTOL, _ATOL = 1e-7, 1e-12  # outcome statistics then agree with a fine solution within 1e-4 relative, small ones too
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
        environment has, with a leading axis over the times where they are read out ``at`` several.

        Along the axes where only the times of reading differ, one solution serves them all.
        """
        starts = [start(environment) for start in self._starts]
        times = [time(environment) for time in self._times]
        used = {name: environment[name] for name in self._used}
        shapes = [value.shape[1:] if name in self._vectors else value.shape for name, value in used.items()]
        dims = max((value.dim() - (name in self._vectors) for name, value in environment.items()), default=0)
        core = torch.broadcast_shapes((1,) * dims, *shapes, *(start.shape for start in starts))
        axes = _Axes(core, torch.broadcast_shapes(core, *(time.shape for time in times)), len(times))
        flat = {
            name: _spread(value, core) if name in self._vectors else _flat(value, core) for name, value in used.items()
        }
        begin = torch.stack([_flat(start, core) for start in starts])
        when = axes.rows(torch.stack([time.to(torch.float64).expand(axes.shape) for time in times], dim=-1))
        states = axes.back(self._integrate(flat, begin, when))
        if self.readouts:  # an element is known at all of its times, or has no solution
            states = torch.where(states.isfinite().all(-1, keepdim=True), states, torch.nan).movedim(-1, 1)
        return dict(zip(self.names, states if self.readouts else states[..., 0], strict=True))

    def _integrate(self, flat: Mapping[str, Tensor], begin: Tensor, when: Tensor) -> Tensor:
        """States [states, batch, times] from ``begin`` [states, batch] at times ``when`` [batch, times], in any
        order."""
        sound = when.isfinite() & (when >= 0) & begin.isfinite().all(0)[:, None]
        times, order = torch.where(sound, when, 0.0).sort(dim=-1)
        result = begin[..., None].expand(-1, *when.shape)
        rows = (times > 0).any(-1).nonzero()[:, 0]
        if len(rows) > 0:
            moving = self._solutions(_rows(flat, rows), begin[:, rows], times[rows])
            place = order[rows].argsort(dim=-1).expand(len(begin), -1, -1)
            result = result.index_copy(1, rows, moving.gather(2, place))
        return torch.where(sound, result, torch.nan)

    def _solutions(self, flat: Mapping[str, Tensor], begin: Tensor, when: Tensor) -> Tensor:
        """States [states, batch, times] at ascending times ``when`` [batch, times], the last above 0."""

        def rate(rows: Tensor) -> Rate:
            part = _rows(flat, rows)
            return lambda time, states: self._rate(part, time, states)

        batch = len(when)
        patience = max(_STIFF_FLOOR, int(_STIFF_SHARE * batch))
        problems = Problems(rate, begin, when, rtol=_RTOL, atol=_ATOL, max_steps=_MAX_STEPS)
        states, stiff = integrate(problems, patience=patience)
        if len(stiff) > patience:
            raise DomainError(
                f"the dynamics of the law {self._mechanism!r} are stiff: {len(stiff)} of {batch} solutions need more "
                f"than {_MAX_STEPS} steps. Narrow the priors, or replace the fast part by its equilibrium"
            )
        for row in stiff.tolist():
            implicit = self._implicit(_rows(flat, torch.tensor([row])), begin[:, row], when[row])
            states[:, row] = torch.where(implicit.isfinite(), implicit, states[:, row])
        return states

    def _rate(self, flat: Mapping[str, Tensor], t: Tensor, y: Tensor) -> Tensor:
        """The change [states, batch] of states y [states, batch] at times t [batch]."""
        environment: dict[str, Tensor] = {**flat, self._time: t, **dict(zip(self.names, y.unbind(0), strict=True))}
        for name, law in self._let:
            environment[name] = law(environment)
        return torch.stack([rate(environment).expand(y.shape[1]) for rate in self._rates])

    def _implicit(self, flat: Mapping[str, Tensor], begin: Tensor, when: Tensor) -> Tensor:
        """One stiff element: states [states, times]; NaN from where even the implicit method finds no solution.

        No gradient passes here.
        """
        from scipy.integrate import solve_ivp  # slow to import, and seldom needed

        flat = {name: value.detach() for name, value in flat.items()}
        begin, when = begin.detach(), when.detach()

        def rate(t: float, y: Any) -> Any:
            now, there = begin.new_tensor([t]), begin.new_tensor(numpy.asarray(y))
            return self._rate(flat, now, there[:, None])[:, 0].cpu().numpy()

        each, place = numpy.unique(when.cpu().numpy(), return_inverse=True)
        states = torch.full((len(begin), len(each)), torch.nan, dtype=torch.float64)
        try:
            with numpy.errstate(over="ignore", invalid="ignore"):
                solution = solve_ivp(rate, (0, each[-1]), begin.cpu().numpy(), "Radau", each, rtol=_RTOL, atol=_ATOL)
            reached = len(solution.t)
            states[:, :reached] = torch.as_tensor(numpy.reshape(solution.y, (len(begin), reached)))
        except ValueError:  # scipy's linear algebra refuses rates that are not finite
            pass
        return states[:, torch.as_tensor(place)]


class _Axes:
    """How a tensor of times [*shape, readouts] becomes one row a solution: [solutions, times].

    core: the broadcast shape of all that the solutions depend on, but their times of reading.
    """

    def __init__(self, core: torch.Size, shape: torch.Size, readouts: int) -> None:
        self.shape = shape
        padded = (1,) * (len(shape) - len(core)) + tuple(core)
        own = [axis for axis, size in enumerate(shape) if padded[axis] == size]
        shared = [axis for axis, size in enumerate(shape) if padded[axis] != size]
        self._order = [*own, *shared, len(shape)]
        self._sizes = [*(shape[axis] for axis in (*own, *shared)), readouts]
        self._solutions = math.prod(core)

    def rows(self, times: Tensor) -> Tensor:
        """[*shape, readouts] → [solutions, times]."""
        return times.permute(self._order).reshape(self._solutions, -1)

    def back(self, states: Tensor) -> Tensor:
        """[states, solutions, times] → [states, *shape, readouts]."""
        unfolded = states.reshape(len(states), *self._sizes)
        inverse = sorted(range(len(self._order)), key=self._order.__getitem__)
        return unfolded.permute(0, *(axis + 1 for axis in inverse))


def _flat(value: Tensor, shape: torch.Size) -> Tensor:
    return value.to(torch.float64).expand(shape).reshape(-1)


def _spread(vector: Tensor, shape: torch.Size) -> Tensor:
    """A vector's entries [entries, batch]."""
    return torch.stack([_flat(entry, shape) for entry in vector.unbind(0)])


def _rows(flat: Mapping[str, Tensor], rows: Tensor) -> dict[str, Tensor]:
    return {name: value.index_select(-1, rows) for name, value in flat.items()}

"""An explicit Runge–Kutta method for a batch of initial value problems, each with its own steps.

Tsitouras 2011, Comput. Math. Appl. 62, 770–775: order 5 with an error estimate of order 4 and an interpolant of order
4, seven stages of which the last is the next step's first. Steps follow Hairer, Nørsett & Wanner 1993, section II.4.

Problems are worked on some thousands at a time, which fit a processor's cache; those that end make room for the next,
so that no work is spent on waiting for the slowest. Everything is a function without side effects on the states, so
that gradients flow from the states read out to starts, times and whatever the rates use (steps are taken as given).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

Rate = Callable[[Tensor, Tensor], Tensor]  # time [batch], states [states, batch] → change [states, batch]

_NODES = (0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0)
_STAGES = (
    (0.161,),
    (-0.008480655492356989, 0.335480655492357),
    (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
    (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
    (5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.02826905039406838),
    (0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774),
)  # the last row makes the new state
_ERROR = (
    0.00178001105222577714,
    0.0008164344596567469,
    -0.007880878010261995,
    0.1447110071732629,
    -0.5823571654525552,
    0.45808210592918697,
    -1 / 66,
)
# y(t + θ h) = y + h (θ k₁ + Σⱼ θʲ Σᵢ rowⱼᵢ kᵢ), j = 2, 3, 4
_DENSE = (
    (-2.763706197274826, 0.1317, 3.930296236894751, -12.411077166933676, 37.50931341651104, -27.896526289197286, 1.5),
    (2.9132554618219126, -0.2234, -5.941033872131505, 30.338188630282318, -88.1789048947664, 65.09189467479368, -4.0),
    (-1.0530884977290216, 0.1017, 2.490627285651253, -16.548102889244902, 47.37952196281928, -34.87065786149661, 2.5),
)
_WORKING = 16384  # problems worked on at a time
_STALE = 0.125  # of them that may have ended before others take their place
_RESOLUTION = 4 * 2.0**-52  # a step below this share of the time does not move it
_SINGULAR = 1e-10  # the same, once steps have run out: they shrink towards a point where the solution explodes
_LEAST = 1e-24  # of the whole time: a first step that shrank to this met no finite rate


@dataclass(frozen=True)
class Problems:
    """rate: rows of the batch → their rate; begin [states, batch] at time 0; times [batch, times], ascending, not
    negative, the last above 0. Each problem's error of a step is kept below rtol · |states| + atol (root mean square
    over its states), in at most max_steps steps."""

    rate: Callable[[Tensor], Rate]
    begin: Tensor
    times: Tensor
    rtol: float
    atol: float
    max_steps: int


@dataclass(frozen=True)
class _Work:
    """The problems being worked on, one an entry: where they stand, the step to try, the rate there (slope), steps
    tried, readouts passed, and when the next and the last readout are. states and slope [states, problems]."""

    row: Tensor
    time: Tensor
    step: Tensor
    states: Tensor
    slope: Tensor
    tried: Tensor
    passed: Tensor
    due: Tensor
    end: Tensor

    def rows(self, index: Tensor) -> "_Work":
        return _Work(*(_pick(getattr(self, field.name), index) for field in fields(self)))

    def joined(self, other: "_Work") -> "_Work":
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return _Work(*(torch.cat(pair, dim=-1) for pair in pairs))


@dataclass(frozen=True)
class _Readout:
    """States [states, readouts] of rows at their columns of times."""

    row: Tensor
    column: Tensor
    states: Tensor


def integrate(problems: Problems, *, patience: int) -> tuple[Tensor, Tensor]:
    """States [states, batch, times], and the rows of the problems that took too many steps.

    What was not reached is NaN: rates were not finite there, or steps were wanting. Stops early where more than
    ``patience`` problems took too many.
    """
    batch = problems.begin.shape[1]
    readouts: list[_Readout] = []
    tired = [torch.empty(0, dtype=torch.int64)]
    queued = min(_WORKING, batch)
    work = _begin(problems, torch.arange(queued))
    rate = problems.rate(work.row)
    while len(work.row) > 0:
        work, readout = _advance(problems, rate, work)
        readouts += [] if readout is None else [readout]
        ended, failed = _ended(problems, work)
        count = int(ended.sum())
        if count <= _STALE * len(work.row):
            continue
        tired.append(work.row[failed])
        if sum(len(rows) for rows in tired) > patience:
            break
        work = work.rows((~ended).nonzero()[:, 0])
        room = min(count, batch - queued)
        if room > 0:
            work = work.joined(_begin(problems, torch.arange(queued, queued + room)))
            queued += room
        rate = problems.rate(work.row)
    return _gather(problems, readouts), torch.cat(tired)


def _begin(problems: Problems, row: Tensor) -> _Work:
    """Problems at time 0, with a first step by Hairer, Nørsett & Wanner's rule."""
    states = _pick(problems.begin, row)
    rate = problems.rate(row)
    time = torch.zeros(len(row), dtype=torch.float64)
    slope = rate(time, states)
    with torch.no_grad():
        scale = problems.atol + problems.rtol * states.abs()
        size, speed = _norm(states / scale), _norm(slope / scale)
        trial = torch.where((size < 1e-5) | (speed < 1e-5), 1e-6, 0.01 * size / speed)
        bend = _norm((rate(trial, states + trial * slope) - slope) / scale) / trial
        step = torch.minimum(100 * trial, (0.01 / torch.maximum(speed, bend).clamp_min(1e-15)).pow(0.2))
        step = torch.where(bend.isfinite(), step, trial)
    times = problems.times.detach()
    count = torch.zeros_like(row)
    due, end = times[:, 0].index_select(0, row), times[:, -1].index_select(0, row)
    return _Work(row, time, step, states, slope, count, count, due, end)


def _advance(problems: Problems, rate: Rate, work: _Work) -> tuple[_Work, _Readout | None]:
    """One step of every problem, taken where its error is small enough; and the readouts that were passed."""
    last = work.time + 1.01 * work.step >= work.end
    step = torch.where(last, work.end - work.time, work.step)
    stages, states = _step(rate, work, step)
    with torch.no_grad():
        scale = problems.atol + problems.rtol * torch.maximum(work.states.abs(), states.abs())
        error = _norm(step * _combine(_ERROR, stages) / scale).nan_to_num(nan=torch.inf)
        accepted = (error <= 1.0) & (work.tried < problems.max_steps)
        growth = (0.9 * torch.exp(-0.2 * error.log())).clamp(0.2, 10.0)
        time = torch.where(accepted, torch.where(last, work.end, work.time + step), work.time)
    readout, passed, due = _read(problems, work, step, time, stages)
    work = _Work(
        work.row,
        time,
        step * growth,
        torch.where(accepted, states, work.states),
        torch.where(accepted, stages[-1], work.slope),
        work.tried + 1,
        passed,
        due,
        work.end,
    )
    return work, readout


def _step(rate: Rate, work: _Work, step: Tensor) -> tuple[list[Tensor], Tensor]:
    """The seven stages and the new states."""
    stages = [work.slope]
    states = work.states
    for node, weights in zip(_NODES, _STAGES, strict=True):
        states = torch.addcmul(work.states, step, _combine(weights, stages))
        stages.append(rate(torch.add(work.time, step, alpha=node), states))
    return stages, states


def _combine(weights: Sequence[float], stages: Sequence[Tensor]) -> Tensor:
    total = weights[0] * stages[0]
    for weight, stage in zip(weights[1:], stages[1:], strict=True):
        total = torch.add(total, stage, alpha=weight)
    return total


def _pick(values: Tensor, index: Tensor) -> Tensor:
    """Entries of the last axis [..., index]; faster than ``index_select`` there."""
    return values.gather(-1, index.expand(*values.shape[:-1], -1))


def _norm(states: Tensor) -> Tensor:
    """Root mean square over the states [states, batch] → [batch]."""
    return states.abs()[0] if len(states) == 1 else states.square().mean(0).sqrt()


def _read(
    problems: Problems, work: _Work, step: Tensor, time: Tensor, stages: Sequence[Tensor]
) -> tuple[_Readout | None, Tensor, Tensor]:
    """The readouts between the old time and the new; how many are passed now, and when the next one is due."""
    index = (work.due <= time).nonzero()[:, 0]
    if len(index) == 0:
        return None, work.passed, work.due
    here = work.rows(index)
    times = problems.times.index_select(0, here.row)
    passed = torch.searchsorted(times.detach(), time.index_select(0, index)[:, None], right=True)
    count = passed[:, 0] - here.passed
    entry = torch.repeat_interleave(count)
    column = torch.arange(len(entry)) - (count.cumsum(0) - passed[:, 0]).index_select(0, entry)
    polynomial = _polynomial(here, step.index_select(0, index), [_pick(stage, index) for stage in stages])
    share = times[entry, column] - here.time.index_select(0, entry)
    share = share / step.index_select(0, index).index_select(0, entry)
    value = _pick(polynomial[-1], entry)
    for coefficient in polynomial[-2::-1]:
        value = torch.addcmul(_pick(coefficient, entry), value, share)
    following = times.detach().gather(1, passed.clamp_max(times.shape[1] - 1))
    due = torch.where(passed < times.shape[1], following, torch.inf)[:, 0]
    readout = _Readout(here.row.index_select(0, entry), column, value)
    return readout, work.passed.index_copy(0, index, passed[:, 0]), work.due.index_copy(0, index, due)


def _polynomial(work: _Work, step: Tensor, stages: Sequence[Tensor]) -> list[Tensor]:
    """The interpolant's coefficients [states, batch] of 1, θ … θ⁴ (θ the share of the step)."""
    return [work.states, step * stages[0], *(step * _combine(weights, stages) for weights in _DENSE)]


def _ended(problems: Problems, work: _Work) -> tuple[Tensor, Tensor]:
    """Which problems are over, and which of them for want of steps.

    The others have reached their last readout, or go no further: a step too small to move the time, or NaN, has met
    rates that are not finite whatever its size.
    """
    done = work.due == torch.inf
    spent = work.tried >= problems.max_steps
    share = torch.where(spent, _SINGULAR, _RESOLUTION)
    lost = ~(work.step > torch.maximum(share * work.time, _LEAST * work.end))
    failed = spent & ~done & ~lost
    return done | lost | spent, failed


def _gather(problems: Problems, readouts: Sequence[_Readout]) -> Tensor:
    """All readouts in their places [states, batch, times]."""
    result = torch.full((len(problems.begin), *problems.times.shape), torch.nan, dtype=torch.float64)
    if not readouts:
        return result
    row, column = torch.cat([r.row for r in readouts]), torch.cat([r.column for r in readouts])
    states = torch.cat([r.states for r in readouts], dim=1)
    return result.index_put((torch.arange(len(result))[:, None], row, column), states)

"""Gaussian-process regression of what came back on the design: the belief of those who know no laws (scikit-learn).

Inputs are the unit cube's coordinates, a choice one-hot; the kernel is σ² Matérn-5/2 with a length per input, plus
normal noise of unknown size. Hyperparameters are the most probable under weak priors on the logarithms, for readings
standardised to variance 1: lengths about half the range. Without priors a few points read as all noise or as ripples,
and with long lengths expected improvement stays where it first found something.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from domains.compiler import Names, compile_expression
from domains.design_space import DesignSpace
from domains.readings import objective_reading, reading_name
from domains.worlds import DomainModel
from meta_learner.belief import History

if TYPE_CHECKING:
    from sklearn.gaussian_process import GaussianProcessRegressor

Array = NDArray[np.float64]
_BOUNDS = (math.log(1e-3), math.log(1e3))  # of every hyperparameter, standardised readings
_STARTS = (0.0, -1.5)  # from which hyperparameters are sought, in prior standard deviations of the lengths


def prepare() -> None:
    """Import what regressions need, so that it does not count as the time of the first decision."""
    import scipy.optimize  # noqa: F401
    import sklearn.gaussian_process  # noqa: F401


def features(space: DesignSpace, designs: Tensor) -> Tensor:
    """Designs [..., columns] as inputs [..., inputs] in [0, 1]: a choice is one input an option, 0 or 1."""
    unit = space.encode(designs)
    columns = []
    for index, design in enumerate(space.designs):
        if design.kind == "choice":
            columns.append(torch.nn.functional.one_hot(designs[..., index].long(), len(design.options)).to(unit))
        else:
            columns.append(unit[..., index, None])
    return torch.cat(columns, dim=-1)


def readings(model: DomainModel, history: History) -> Tensor:
    """The objective as each experiment read it, larger is better [runs, steps]; NaN where nothing came back.

    DomainError where outcomes do not give it (``domains.readings``).
    """
    read = compile_expression(objective_reading(model.domain), Names(model.space.options))
    environment = model.space.environment(history.designs)
    values = zip(model.outcome_names, history.outcomes.unbind(-1), strict=True)
    environment |= {reading_name(name): value for name, value in values}
    reading = model.sign * read(environment).expand(history.outcomes.shape[:2])
    return torch.where(reading.isfinite(), reading, torch.nan)


class GaussianProcess:
    """The regression of readings [points] on inputs [points, inputs], at least one of each."""

    def __init__(self, inputs: Tensor, values: Tensor) -> None:
        from sklearn.gaussian_process import GaussianProcessRegressor  # slow to import, and seldom needed
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        x, y = inputs.cpu().numpy(), values.cpu().numpy()
        self._mean, self._scale = float(y.mean()), float(y.std()) or 1.0
        y = (y - self._mean) / self._scale
        centre, spread = _priors(x.shape[1])
        kernel = ConstantKernel() * Matern(np.full(x.shape[1], 0.5), nu=2.5) + WhiteKernel()
        unfitted = GaussianProcessRegressor(kernel, optimizer=None).fit(x, y)
        best = min((_seek(unfitted, centre, spread, start) for start in _STARTS), key=lambda found: found[0])[1]
        self._process = GaussianProcessRegressor(kernel.clone_with_theta(best), optimizer=None).fit(x, y)
        self.logarithms: Array = best  # of σ², the lengths and the noise variance, for readings of variance 1
        self._noise = math.exp(best[-1])

    def posterior(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation [points] of the noise-free function at inputs [points, inputs]."""
        mean, sd = self._process.predict(inputs.cpu().numpy(), return_std=True)
        variance = np.clip(sd**2 - self._noise, 1e-12, None)
        found = (self._mean + self._scale * mean, self._scale * np.sqrt(variance))
        mean, sd = (torch.from_numpy(values).to(inputs.device) for values in found)
        return mean, sd


def _priors(inputs: int) -> tuple[Array, Array]:
    """Means and standard deviations of the logarithms of σ², of the lengths and of the noise's variance."""
    centre = np.array([0.0, *[math.log(0.5)] * inputs, -2.0])
    return centre, np.array([1.0, *[1.0] * inputs, 2.0])


def _seek(process: "GaussianProcessRegressor", centre: Array, spread: Array, start: float) -> tuple[float, Array]:
    """The least −log(marginal likelihood × prior), and where."""
    from scipy.optimize import minimize

    def loss(theta: Array) -> tuple[float, Array]:
        value, slope = process.log_marginal_likelihood(theta, eval_gradient=True, clone_kernel=False)
        away = (theta - centre) / spread
        return float(0.5 * (away**2).sum() - value), away / spread - slope

    begin = centre.copy()
    begin[1:-1] += start * spread[1:-1]
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=[_BOUNDS] * len(begin), options={"maxiter": 60})
    return float(found.fun), found.x

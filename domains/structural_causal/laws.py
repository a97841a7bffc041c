"""The laws of ``structural-causal``: linear-Gaussian graphs with everything in closed form.

x_j = Σ_i w_ij x_i + ε_j over the parents i of j, ε_j ~ N(0, 1/τ_j), τ_j ~ Gamma(a, b), w_ij ~ N(0, s²/τ_j);
do(x_j = v) sets x_j and cuts its arrows. Given a graph the evidence is a product over variables of normal-gamma
regressions on their parents (Geiger & Heckerman 1994; Murphy 2007, sect. 7), from the experiments that did not force
the variable:

Λ = I/s² + XᵀX, m = Λ⁻¹Xᵀy, α = a + n/2, β = b + (yᵀy − mᵀΛm)/2,
log p(y | X) = −(n/2) log 2π + ½ log|I/s²| − ½ log|Λ| + a log b − α log β + log Γ(α) − log Γ(a),

and the next x_j given its parents' values is Student t with 2α degrees of freedom, location x·m, and squared scale
β/α (1 + xᵀΛ⁻¹x). Only 4 × 8 regressions exist for the 543 graphs of four variables.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy
import torch
from scipy import stats
from torch import Tensor

from domains import randomness
from domains.distributions import studentt_below, studentt_log_density
from domains.document import Domain, Parameter
from domains.simulators import ExactSimulator, Marginal, Parameters, Posterior
from domains.structural_causal import Graph, all_graphs, graph_name

_LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True)
class _Regressions:
    """Every regression of a variable on a set of parents: mean [runs, variables, sets, variables] of the weights, zero
    for no parents; covariance [runs, variables, sets, variables, variables] = Λ⁻¹, likewise; shape, rate [runs,
    variables, sets] of the noise's precision."""

    mean: Tensor
    covariance: Tensor
    shape: Tensor
    rate: Tensor

    def packed(self) -> Tensor:
        return torch.cat([self.mean, self.covariance.flatten(-2), self.shape[..., None], self.rate[..., None]], dim=-1)

    @classmethod
    def unpacked(cls, packed: Tensor) -> "_Regressions":
        """From tensors [..., size]: of all regressions, or of some gathered."""
        size = int(math.isqrt(packed.shape[-1] * 4 - 7) - 1) // 2  # size² + size + 2 = packed.shape[-1]
        mean, covariance, shape, rate = packed.split([size, size * size, 1, 1], dim=-1)
        return cls(mean, covariance.unflatten(-1, (size, size)), shape[..., 0], rate[..., 0])


class LinearGaussianGraphs(ExactSimulator):
    """All graphs over the document's outcomes. The designs are which variable is forced, and its value."""

    def __init__(self, domain: Domain) -> None:
        self.variables = [outcome.name for outcome in domain.outcomes]
        self._choice = next(i for i, design in enumerate(domain.designs) if design.kind == "choice")
        options = domain.designs[self._choice].options
        self._option = torch.tensor([float(options.index(name)) for name in self.variables], dtype=torch.float64)
        count = len(self.variables)
        every = {graph_name(graph, self.variables): graph for graph in all_graphs(count)}
        sets = [sorted({graph[j] for graph in every.values()}, key=sorted) for j in range(count)]
        self._graphs = {mechanism.name: every[mechanism.name] for mechanism in domain.mechanisms}
        self._mask = torch.tensor(  # [variables, sets, variables]: who is a parent
            [[[float(i in members) for i in range(count)] for members in row] for row in sets], dtype=torch.float64
        )
        self._set = torch.tensor(  # [mechanisms, variables]: which set of parents
            [[sets[j].index(graph[j]) for j in range(count)] for graph in self._graphs.values()]
        )
        known = {parameter.name: parameter for parameter in domain.mechanisms[0].parameters}
        shapes, rates = zip(*(_gamma(known[f"precision_{name}"]) for name in self.variables), strict=True)
        self._shape = torch.tensor(shapes, dtype=torch.float64)[:, None]
        self._rate = torch.tensor(rates, dtype=torch.float64)[:, None]
        spread = known["spread"].constant
        assert spread is not None  # the description sees to it
        self._spread = spread

    def sample(self, mechanism: str, parameters: Parameters, designs: Tensor, uniforms: Tensor) -> Tensor:
        noise = torch.special.ndtri(uniforms[..., 0])
        forced, value = self._forced(designs)
        x = torch.where(forced, value, 0.0).expand(noise.shape)
        for _ in self.variables:  # no path is longer than the number of variables
            mean, precision = self._given_parents(mechanism, parameters, x)
            x = torch.where(forced, value, mean + noise / precision.sqrt())
        return x

    def log_likelihood(self, mechanism: str, parameters: Parameters, designs: Tensor, outcomes: Tensor) -> Tensor:
        """An experiment with a missing outcome tells nothing: it is left out as a whole, here and in ``posterior``."""
        mean, precision = self._given_parents(mechanism, parameters, outcomes)
        density = 0.5 * (precision.log() - _LOG_2PI - precision * (outcomes - mean).square())
        forced, _ = self._forced(designs)
        total = torch.where(forced, 0.0, density).sum(-1)
        return torch.where(outcomes.isnan().any(-1), 0.0, total)

    def _given_parents(self, mechanism: str, parameters: Parameters, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and precision of each variable given the others' values x [..., variables]; the same shape."""
        graph: Graph = self._graphs[mechanism]
        means = []
        for j, effect in enumerate(self.variables):
            terms = [parameters[f"weight_{self.variables[i]}{effect}"] * x[..., i] for i in sorted(graph[j])]
            means.append(sum(terms, torch.zeros_like(x[..., j])))
        precisions = [parameters[f"precision_{name}"] for name in self.variables]
        parts = torch.broadcast_tensors(*means, *precisions)
        return torch.stack(parts[: len(means)], dim=-1), torch.stack(parts[len(means) :], dim=-1)

    def _forced(self, designs: Tensor) -> tuple[Tensor, Tensor]:
        """Which variable each design sets [..., variables], and to what [..., 1]."""
        choice, value = designs[..., self._choice, None], designs[..., 1 - self._choice, None]
        return choice == self._option, value

    def posterior(self, designs: Tensor, outcomes: Tensor) -> Posterior:
        complete = ~outcomes.isnan().any(-1, keepdim=True)
        forced, _ = self._forced(designs)
        used = (complete & ~forced).to(torch.float64)  # [runs, steps, variables]: who answered by its law
        x = torch.where(complete, outcomes, 0.0)
        moments = torch.einsum("rtj,rtv,rtw->rjvw", used, x, x)[:, :, None]  # [runs, variables, 1, v, w]
        number = used.sum(1)[..., None]
        parents = self._mask[..., None] * self._mask[:, :, None]
        eye = torch.eye(len(self.variables), dtype=torch.float64)
        precision = eye / self._spread**2 + parents * moments
        own = torch.arange(len(self.variables))
        cross = self._mask * moments[:, own, 0, own][:, :, None]  # Xᵀy [runs, variables, sets, v]
        root = torch.linalg.cholesky(precision)
        mean = torch.cholesky_solve(cross[..., None], root)[..., 0]
        square = moments[:, own, 0, own, own][..., None]
        shape = self._shape + number / 2
        rate = self._rate + 0.5 * (square - (mean * cross).sum(-1)).clamp_min(0.0)
        log_determinant = 2 * root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        log_prior_determinant = -2 * len(self.variables) * math.log(self._spread)
        evidence = (
            -0.5 * number * _LOG_2PI
            + 0.5 * (log_prior_determinant - log_determinant)
            + self._shape * self._rate.log()
            - shape * rate.log()
            + torch.lgamma(shape)
            - torch.lgamma(self._shape)
        )
        covariance = torch.cholesky_inverse(root) * parents
        shape = shape.expand(rate.shape)
        statistics = _Regressions(mean, covariance, shape, rate).packed()
        return Posterior(self._of_graphs(evidence), statistics)

    def _of_graphs(self, regressions: Tensor) -> Tensor:
        """Σ over variables of what each graph takes of regressions [runs, variables, sets]: [runs, mechanisms]."""
        return torch.stack([regressions[:, j, self._set[:, j]] for j in range(len(self.variables))]).sum(0)

    def _gathered(self, statistics: Tensor, mechanism: Tensor) -> tuple[_Regressions, Tensor]:
        """The regressions of some graphs, fields [runs, draws, variables, …], and their masks of parents."""
        run = torch.arange(len(mechanism))[:, None, None]
        variable = torch.arange(len(self.variables))
        which = self._set[mechanism]
        return _Regressions.unpacked(statistics[run, variable, which]), self._mask[variable, which]

    def predictive_sample(self, statistics: Tensor, mechanism: Tensor, designs: Tensor, uniforms: Tensor) -> Tensor:
        law, parents = self._gathered(statistics, mechanism)
        df = 2 * law.shape
        radius = (df * torch.expm1(-2.0 / df * uniforms[..., 0].log())).sqrt()
        noise = (radius * torch.cos(2 * math.pi * uniforms[..., 1]))[:, :, None]  # Bailey 1994; [runs, draws, 1, v]
        forced, value = (part[:, None] for part in self._forced(designs))
        shape = (*mechanism.shape, designs.shape[1], len(self.variables))
        x = torch.where(forced, value, 0.0).expand(shape)
        variance = (law.rate / law.shape)[:, :, None]
        for _ in self.variables:
            causes = x[..., None, :] * parents[:, :, None]  # [runs, draws, designs, variables, v]
            location = (causes * law.mean[:, :, None]).sum(-1)
            spread = torch.einsum("rjdnv,rjnvw,rjdnw->rjdn", causes, law.covariance, causes)
            x = torch.where(forced, value, location + (variance * (1 + spread)).sqrt() * noise)
        return x

    def predictive_log_density(
        self, statistics: Tensor, mechanism: Tensor, designs: Tensor, outcomes: Tensor
    ) -> Tensor:
        law = _Regressions.unpacked(statistics)
        location = torch.einsum("rjdv,rnsv->rjdns", outcomes, law.mean)
        squares = (outcomes[..., None] * outcomes[..., None, :]).flatten(3)
        spread = torch.einsum("rjdq,rnsq->rjdns", squares, law.covariance.flatten(-2))
        scale = ((law.rate / law.shape)[:, None, None] * (1 + spread)).sqrt()
        residual = (outcomes[..., None] - location) / scale
        density = studentt_log_density(residual, 2 * law.shape[:, None, None]) - scale.log()
        forced, _ = self._forced(designs)
        density = torch.where(forced[:, None, ..., None], 0.0, density).flatten(-2)
        taken = torch.nn.functional.one_hot(self._set[mechanism], law.shape.shape[-1]).to(torch.float64).flatten(-2)
        return torch.einsum("rjdq,rkq->rjkd", density, taken)

    def predictive_tails(self, statistics: Tensor, designs: Tensor, outcomes: Tensor) -> tuple[Tensor, Tensor]:
        """Of each variable given the values of its parents; 1 where it was forced."""
        law = _Regressions.unpacked(statistics)
        location = torch.einsum("rv,rnsv->rns", outcomes, law.mean)
        spread = torch.einsum("rv,rnsvw,rw->rns", outcomes, law.covariance, outcomes)
        scale = (law.rate / law.shape * (1 + spread)).sqrt()
        residual, df = (outcomes[..., None] - location) / scale, 2 * law.shape
        forced, _ = self._forced(designs)
        variable = torch.arange(len(self.variables))
        below, above = (
            torch.where(forced[..., None], 1.0, studentt_below(sign * residual, df).exp())[:, variable, self._set]
            for sign in (1, -1)
        )
        return below, above

    def draw(self, statistics: Tensor, mechanism: int, generator: torch.Generator) -> Parameters:
        law, parents = self._gathered(statistics, torch.full((len(statistics), 1), mechanism))
        found: dict[str, Tensor] = {}
        for j, effect in self._numbered():
            precision = randomness.gamma(law.shape[:, 0, j], generator) / law.rate[:, 0, j]
            found[f"precision_{effect}"] = precision
            among = [i for i in range(len(self.variables)) if parents[0, 0, j, i] > 0]
            covariance = law.covariance[:, 0, j][:, among][:, :, among]
            noise = randomness.normal((len(statistics), len(among), 1), generator)
            spread = (torch.linalg.cholesky(covariance) @ noise)[..., 0] / precision.sqrt()[:, None]
            for place, i in enumerate(among):
                found[f"weight_{self.variables[i]}{effect}"] = law.mean[:, 0, j, i] + spread[:, place]
        return found

    def marginals(self, statistics: Tensor, mechanism: int) -> Mapping[str, Marginal]:
        law, parents = self._gathered(statistics, torch.full((len(statistics), 1), mechanism))
        found = {f"precision_{n}": _gamma_marginal(law.shape[:, 0, j], law.rate[:, 0, j]) for j, n in self._numbered()}
        for i, cause in self._numbered():
            for j, effect in self._numbered():
                if parents[0, 0, j, i] > 0:
                    scale = (law.rate / law.shape)[:, 0, j] * law.covariance[:, 0, j, i, i]
                    found[f"weight_{cause}{effect}"] = _t_marginal(
                        law.mean[:, 0, j, i], scale.sqrt(), 2 * law.shape[:, 0, j]
                    )
        return found

    def _numbered(self) -> list[tuple[int, str]]:
        return list(enumerate(self.variables))


def _gamma(parameter: Parameter) -> tuple[float, float]:
    """Shape and rate of a constant gamma prior."""
    assert parameter.prior is not None
    shape, rate = (argument.constant for argument in parameter.prior.arguments)
    assert shape is not None
    assert rate is not None
    return shape, rate


def _gamma_marginal(shape: Tensor, rate: Tensor) -> Marginal:
    low, high = (
        torch.from_numpy(numpy.asarray(stats.gamma.ppf(q, shape.cpu().numpy()))).to(rate.device) / rate
        for q in (0.05, 0.95)
    )
    return Marginal(shape / rate, shape.sqrt() / rate, low, high)


def _t_marginal(location: Tensor, scale: Tensor, df: Tensor) -> Marginal:
    reach = torch.from_numpy(numpy.asarray(stats.t.ppf(0.95, df.cpu().numpy()))).to(scale.device) * scale
    return Marginal(location, scale * (df / (df - 2)).sqrt(), location - reach, location + reach)

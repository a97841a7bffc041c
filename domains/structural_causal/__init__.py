"""The mechanisms of ``structural-causal``: every directed acyclic graph over its variables. Needs no torch."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from domains.document import Domain, Mechanism, Parameter, Prior
from domains.errors import DomainError
from domains.expressions import parse
from domains.python_domains import PythonDomain

if TYPE_CHECKING:
    from domains.simulators import Simulator

NOTHING = "nothing"  # the option of the choice that forces no variable
Graph = tuple[frozenset[int], ...]  # the parents of each variable


class StructuralCausal(PythonDomain):
    """Linear-Gaussian structural causal models (Pearl 2009, ch. 1.4), the graph unknown."""

    code = ("domains.structural_causal.laws",)

    def complete(self, domain: Domain) -> Domain:
        """One mechanism a graph: the document's parameters, and a weight for each of the graph's arrows."""
        variables = [outcome.name for outcome in domain.outcomes]
        frame = domain.mechanisms[0]
        _check_frame(domain, frame, variables)
        weights = {(i, j): _weight(variables[i], variables[j]) for i, j in product(range(len(variables)), repeat=2)}
        graphs = [
            Mechanism(
                name=graph_name(graph, variables),
                weight=1.0,
                parameters=(*frame.parameters, *(weights[arrow] for arrow in arrows(graph))),
                let=(),
                label=", ".join(f"{variables[i]} → {variables[j]}" for i, j in arrows(graph)) or "no arrows",
            )
            for graph in all_graphs(len(variables))
        ]
        return replace(domain, mechanisms=tuple(graphs))

    def simulator(self, domain: Domain) -> "Simulator":
        from domains.structural_causal.laws import LinearGaussianGraphs

        return LinearGaussianGraphs(domain)


def _check_frame(domain: Domain, frame: Mechanism, variables: list[str]) -> None:
    """DomainError unless the document says what the laws take for granted."""
    choices = [design for design in domain.designs if design.kind == "choice"]
    options = {NOTHING, *variables}
    if len(domain.designs) != 2 or len(choices) != 1 or set(choices[0].options) != options:
        raise DomainError(f"the designs must be a choice of {', '.join(sorted(options))}, and a number")
    if any(len(name) != 1 for name in variables) or not 2 <= len(variables) <= 4:
        raise DomainError("the outcomes must be two to four variables whose names are single letters")
    parameters = {parameter.name: parameter for parameter in frame.parameters}
    needed = {"spread", *(f"precision_{name}" for name in variables)}
    if parameters.keys() != needed:
        raise DomainError(f"the parameters must be {', '.join(sorted(needed))}")
    if not (parameters["spread"].constant or 0) > 0:
        raise DomainError("spread must be a constant above 0")
    for name in variables:
        prior = parameters[f"precision_{name}"].prior
        known = prior is not None and None not in [argument.constant for argument in prior.arguments]
        if prior is None or not known or prior.family != "gamma" or prior.low or prior.high:
            raise DomainError(f"precision_{name} must have the prior gamma: [shape, rate], both numbers")


def all_graphs(variables: int) -> list[Graph]:
    """Every directed acyclic graph, those with few arrows first: 543 for four variables (Robinson 1973)."""
    choices = [_subsets([i for i in range(variables) if i != j]) for j in range(variables)]
    graphs = [graph for graph in product(*choices) if _acyclic(graph)]
    return sorted(graphs, key=lambda graph: (len(list(arrows(graph))), list(arrows(graph))))


def arrows(graph: Graph) -> Iterator[tuple[int, int]]:
    """(cause, effect), in the order of causes."""
    count = len(graph)
    return ((i, j) for i in range(count) for j in range(count) if i in graph[j])


def graph_name(graph: Graph, variables: list[str]) -> str:
    """A name for tables and files: ``ab_bc`` for a → b → c."""
    return "_".join(variables[i] + variables[j] for i, j in arrows(graph)) or "none"


def _subsets(members: list[int]) -> list[frozenset[int]]:
    bits = product((False, True), repeat=len(members))
    return [frozenset(member for member, chosen in zip(members, row, strict=True) if chosen) for row in bits]


def _acyclic(graph: Graph) -> bool:
    """Whether taking away variables without parents, again and again, leaves nothing."""
    left = set(range(len(graph)))
    while left:
        free = {j for j in left if not graph[j] & left}
        if not free:
            return False
        left -= free
    return True


def _weight(cause: str, effect: str) -> Parameter:
    prior = Prior("normal", (parse("0"), parse(f"spread / sqrt(precision_{effect})")))
    return Parameter(f"weight_{cause}{effect}", prior, label=f"effect of {cause} on {effect}")

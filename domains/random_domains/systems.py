"""Dynamical systems of the sciences: each with rival variants of one of its terms.

Texts: ``{start}`` is where the system starts, a setting or a constant of the order of the unit U; ``{U}`` the unit of
the states, ``{T}`` the horizon; the other letters are quantities of the system. ``{drive}`` is the quantity r, changed
by the settings and choices that act on the system. Rates times T are of the order 1 to 10, so that no variant is stiff.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from domains.random_domains.shapes import Kind

States = Mapping[str, tuple[str, str]]  # state → (start, rate)


@dataclass(frozen=True)
class Term:
    """A quantity of a system: its typical value is factor × (1/T for a rate, U for a size, 1 for a number)."""

    name: str
    unit: Literal["rate", "size", "number"]
    factor: float
    kind: Kind = "scale"
    spread: float = 0.4


@dataclass(frozen=True)
class System:
    """outcomes: what can be measured, name → state expression; signed: the first of these may be negative. starts: the
    name of the starting value as a setting, and its usual range in units of U. drives: names of settings that act."""

    field: str
    name: str
    terms: Mapping[str, Term]
    outcomes: Mapping[str, str]
    variants: Mapping[str, States]
    start: str
    starts: tuple[float, float]
    drives: Mapping[str, tuple[str, ...]]
    choice: tuple[str, tuple[str, ...]]
    signed: bool = False


def _one(state: str, **rates: str) -> dict[str, States]:
    """Variants of a system with one state."""
    return {name.replace("_", "-"): {state: ("{start}", rate)} for name, rate in rates.items()}


def _kinetics(loss: str, back: str = "") -> States:
    gained, returned = (f"{back} ", f" - {back}") if back else ("", "")
    return {
        "reactant": ("{start}", f"{gained}-{' ' if back else ''}{loss}"),
        "product": ("0", f"{loss}{returned} - {{d}} * product"),
    }


def _body(loss: str) -> States:
    return {"gut": ("{start}", "-{drive} * gut"), "plasma": ("0", f"{{drive}} * gut - {loss}")}


def _feeding(eaten: str, born: str = "{drive} * prey") -> States:
    return {
        "prey": ("{start}", f"{born} - {{drive}} * predator * {eaten}"),
        "predator": ("0.3 * {U}", f"{{d}} * predator * ({eaten} - 0.5)"),
    }


def _spring(force: str, damping: str) -> States:
    return {"place": ("{start}", "speed"), "speed": ("0", f"-{{drive}}**2 * {force} - {damping}")}


def _gene(made: str) -> States:
    return {"mrna": ("0", f"{made} - {{d}} * mrna"), "protein": ("{start}", "{t} * mrna - {e} * protein")}


def _growth(uptake: str) -> States:
    return {
        "food": ("{start}", f"-{{drive}} * biomass * {uptake}"),
        "biomass": ("0.1 * {U}", f"0.6 * {{drive}} * biomass * {uptake} - {{d}} * biomass"),
    }


_ENVIRONMENT = {"temperature": ("temperature",), "amount": ("nutrient", "light"), "inhibitor": ("toxin", "shading")}
_BENCH = {"temperature": ("temperature",), "amount": ("catalyst", "enzyme_added"), "inhibitor": ("inhibitor", "salt")}

SYSTEMS: tuple[System, ...] = (
    System(
        "ecology", "population",
        {"r": Term("growth", "rate", 5), "K": Term("capacity", "size", 1),
         "z": Term("theta", "number", 1.6, "exponent"), "a": Term("allee", "size", 0.2),
         "h": Term("harvest", "rate", 1.5)},
        {"population": "population"},
        _one(
            "population",
            logistic="{drive} * population * (1 - population / {K})",
            gompertz="0.5 * {drive} * population * log({K} / max(population, 1e-9))",
            theta_logistic="{drive} * population * (1 - (max(population, 0) / {K})**{z})",
            allee_effect="{drive} * population * (1 - population / {K}) * population / ({a} + population)",
            harvested="{drive} * population * (1 - population / {K}) - {h} * population",
        ),
        "inoculum", (0.02, 0.5), _ENVIRONMENT, ("strain", ("wild", "mutant", "hybrid")),
    ),
    System(
        "chemistry", "reaction",
        {"r": Term("rate", "rate", 3), "d": Term("loss", "rate", 1), "b": Term("back", "rate", 1.2),
         "K": Term("km", "size", 0.5)},
        {"product": "product", "reactant": "reactant"},
        {
            "first-order": _kinetics("{drive} * reactant"),
            "second-order": _kinetics("{drive} * reactant**2 / {U}"),
            "reversible": _kinetics("{drive} * reactant", "{b} * product"),
            "saturating": _kinetics("{drive} * {K} * reactant / ({K} + reactant)"),
            "autocatalytic": _kinetics("{drive} * reactant * (0.1 + product / {U})"),
        },
        "reactant_added", (0.2, 2), _BENCH, ("solvent", ("water", "ethanol", "acetone")),
    ),
    System(
        "pharmacology", "kinetics",
        {"r": Term("absorption", "rate", 6), "d": Term("elimination", "rate", 2.5), "K": Term("km", "size", 0.4),
         "e": Term("to_tissue", "rate", 2), "b": Term("from_tissue", "rate", 1)},
        {"plasma": "plasma", "gut": "gut"},
        {
            "first-order-elimination": _body("{d} * plasma"),
            "saturable-elimination": _body("1.5 * {d} * {K} * plasma / ({K} + plasma)"),
            "two-compartments": {
                "gut": ("{start}", "-{drive} * gut"),
                "plasma": ("0", "{drive} * gut - ({d} + {e}) * plasma + {b} * tissue"),
                "tissue": ("0", "{e} * plasma - {b} * tissue"),
            },
        },
        "dose", (0.3, 3), {"inhibitor": ("antacid", "food_taken")}, ("formulation", ("tablet", "syrup", "capsule")),
    ),
    System(
        "ecology", "predation",
        {"r": Term("growth", "rate", 4), "d": Term("conversion", "rate", 4), "K": Term("capacity", "size", 2),
         "h": Term("half_prey", "size", 0.6)},
        {"prey": "prey", "predator": "predator"},
        {
            "lotka-volterra": _feeding("prey / {U}"),
            "logistic-prey": _feeding("prey / {U}", "{drive} * prey * (1 - prey / {K})"),
            "saturating-predator": _feeding("prey / ({h} + prey)", "{drive} * prey * (1 - prey / {K})"),
            "interfering-predators": _feeding("prey / ({h} + prey + predator)", "{drive} * prey * (1 - prey / {K})"),
        },
        "prey_released", (0.3, 2), _ENVIRONMENT, ("habitat", ("open", "sheltered", "mixed")),
    ),
    System(
        "physics", "oscillation",
        {"r": Term("omega", "rate", 8, spread=0.25), "d": Term("damping", "rate", 2),
         "b": Term("stiffening", "number", 0.8)},
        {"place": "place"},
        {
            "linear-damping": _spring("place", "{d} * speed"),
            "quadratic-drag": _spring("place", "{d} * abs(speed) * speed * {T} / (8 * {U})"),
            "stiffening-spring": _spring("place * (1 + {b} * (place / {U})**2)", "{d} * speed"),
            "pendulum": _spring("{U} * sin(place / {U})", "{d} * speed"),
        },
        "release_height", (0.3, 2), {"inhibitor": ("load_added",), "amount": ("tension",)},
        ("medium", ("air", "water", "oil")), signed=True,
    ),
    System(
        "epidemiology", "epidemic",
        {"r": Term("contact", "rate", 12, spread=0.3), "d": Term("recovery", "rate", 4, spread=0.3),
         "e": Term("incubation", "rate", 12), "b": Term("waning", "rate", 1.5)},
        {"infected": "infected", "susceptible": "susceptible"},
        {
            "sir": {
                "susceptible": ("{U} - {start}", "-{drive} * susceptible * infected / {U}"),
                "infected": ("{start}", "{drive} * susceptible * infected / {U} - {d} * infected"),
            },
            "sis": {
                "susceptible": ("{U} - {start}", "{d} * infected - {drive} * susceptible * infected / {U}"),
                "infected": ("{start}", "{drive} * susceptible * infected / {U} - {d} * infected"),
            },
            "seir": {
                "susceptible": ("{U} - {start}", "-{drive} * susceptible * infected / {U}"),
                "exposed": ("0", "{drive} * susceptible * infected / {U} - {e} * exposed"),
                "infected": ("{start}", "{e} * exposed - {d} * infected"),
            },
            "waning-immunity": {
                "susceptible": (
                    "{U} - {start}",
                    "{b} * ({U} - susceptible - infected) - {drive} * susceptible * infected / {U}",
                ),
                "infected": ("{start}", "{drive} * susceptible * infected / {U} - {d} * infected"),
            },
        },
        "first_cases", (0.005, 0.2), {"inhibitor": ("distancing", "masks")}, ("season", ("winter", "summer", "autumn")),
    ),
    System(
        "molecular biology", "expression",
        {"r": Term("transcription", "rate", 3), "d": Term("mrna_loss", "rate", 4), "t": Term("translation", "rate", 4),
         "e": Term("protein_loss", "rate", 2), "K": Term("threshold", "size", 0.6)},
        {"protein": "protein", "mrna": "mrna"},
        {
            "constitutive": _gene("{drive} * {U}"),
            "self-repression": _gene("1.5 * {drive} * {U} / (1 + protein / {K})"),
            "cooperative-repression": _gene("1.5 * {drive} * {U} / (1 + (protein / {K})**2)"),
            "self-activation": _gene("1.5 * {drive} * {U} * (0.1 + protein**2 / ({K}**2 + protein**2))"),
        },
        "protein_added", (0.1, 2), {"amount": ("inducer",), "inhibitor": ("repressor",)},
        ("promoter", ("strong", "weak", "leaky")),
    ),
    System(
        "microbiology", "culture",
        {"r": Term("uptake", "rate", 8), "d": Term("maintenance", "rate", 0.6), "K": Term("half_food", "size", 0.4)},
        {"biomass": "biomass", "food": "food"},
        {
            "monod": _growth("food / ({K} + food)"),
            "contois": _growth("food / ({K} / {U} * biomass + max(food, 0) + 1e-6 * {U})"),
            "tessier": _growth("(1 - exp(-food / {K}))"),
            "mass-action": _growth("food / (1.5 * {U})"),
        },
        "food_supplied", (0.1, 2), {"inhibitor": ("salt", "acid"), "temperature": ("temperature",)},
        ("strain", ("coli", "subtilis", "putida")),
    ),
    System(
        "physics", "cooling",
        {"r": Term("exchange", "rate", 2.5), "K": Term("surroundings", "size", 0.3),
         "b": Term("radiation", "rate", 1.5)},
        {"warmth": "warmth"},
        _one(
            "warmth",
            newton="-{drive} * (warmth - {K})",
            free_convection="-{drive} * (warmth - {K}) * (abs(warmth - {K}) / {U})**0.25",
            radiating="-{drive} * (warmth - {K}) - {b} * (warmth**4 - {K}**4) / (4 * {U}**3)",
            turbulent="-{drive} * (warmth - {K}) * abs(warmth - {K}) / {U}",
        ),
        "initial_warmth", (0.5, 2), {"amount": ("wind", "flow"), "inhibitor": ("insulation",)},
        ("vessel", ("glass", "steel", "wood")),
    ),
)  # fmt: skip

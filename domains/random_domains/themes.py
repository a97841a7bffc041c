"""The words of the fields that questions come from."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """The words of one field: what responds, and the settings' names by role."""

    field: str
    response: str
    names: Mapping[str, tuple[str, ...]]
    choice: str
    options: tuple[str, ...]
    effort: str = "replicates"


THEMES: tuple[Theme, ...] = (
    Theme(
        "pharmacology", "effect",
        {"amount": ("dose", "agonist"), "inhibitor": ("antagonist", "blocker"), "decay": ("time",),
         "growth": ("exposure_time",), "temperature": ("temperature",)},
        "tissue", ("liver", "heart", "brain", "kidney"),
    ),
    Theme(
        "ecology", "uptake",
        {"amount": ("nutrient", "light", "prey_density"), "inhibitor": ("shading", "toxin", "competitors"),
         "growth": ("season",), "decay": ("age",), "temperature": ("temperature",),
         "position": ("elevation",), "line source": ("transect",), "plane source": ("east", "north")},
        "habitat", ("forest", "meadow", "wetland", "shore"), "quadrats",
    ),
    Theme(
        "chemistry", "yield_rate",
        {"amount": ("reactant", "catalyst", "pressure"), "inhibitor": ("poison", "water_content"),
         "temperature": ("temperature", "bath_temperature"), "decay": ("storage_time",), "growth": ("reaction_time",),
         "position": ("acidity",)},
        "solvent", ("ethanol", "hexane", "acetone", "toluene"),
    ),
    Theme(
        "physics", "intensity",
        {"amount": ("current", "power", "pressure"), "inhibitor": ("absorber", "thickness"), "decay": ("delay",),
         "frequency": ("frequency", "drive_frequency"), "position": ("angle", "detuning"),
         "line source": ("position",), "plane source": ("x", "y"), "temperature": ("temperature",)},
        "material", ("copper", "iron", "silicon", "glass"), "repeats",
    ),
    Theme(
        "psychology", "strength",
        {"amount": ("reward", "practice"), "inhibitor": ("distraction", "load"), "decay": ("delay", "retention"),
         "growth": ("study_time",), "stimulus": ("contrast", "evidence", "coherence")},
        "modality", ("visual", "auditory", "tactile", "mixed"), "trials",
    ),
    Theme(
        "neuroscience", "activity",
        {"amount": ("current", "contrast"), "inhibitor": ("inhibition", "masking"), "position": ("orientation",),
         "stimulus": ("voltage", "motion"), "frequency": ("flicker",), "decay": ("lag",),
         "line source": ("depth",), "plane source": ("azimuth", "height")},
        "cell_type", ("pyramidal", "basket", "stellate", "granule"), "sweeps",
    ),
    Theme(
        "agronomy", "growth_gain",
        {"amount": ("nitrogen", "rainfall", "irrigation"), "inhibitor": ("salinity", "weeds"),
         "temperature": ("soil_temperature",), "growth": ("days",), "decay": ("storage_days",),
         "position": ("acidity",), "plane source": ("row", "column")},
        "soil", ("clay", "loam", "sand", "peat"), "plots",
    ),
    Theme(
        "earth science", "flux",
        {"amount": ("runoff", "slope", "rainfall"), "inhibitor": ("cover", "ice"), "decay": ("time_since",),
         "line source": ("distance",), "plane source": ("longitude", "latitude"), "frequency": ("wave_number",),
         "temperature": ("surface_temperature",), "position": ("depth",)},
        "rock", ("basalt", "granite", "chalk", "shale"), "samples",
    ),
    Theme(
        "economics", "demand",
        {"amount": ("income", "advertising", "supply"), "inhibitor": ("price", "tax"), "decay": ("delay",),
         "growth": ("years",), "stimulus": ("discount",)},
        "frame", ("gain", "loss", "neutral", "default"), "respondents",
    ),
    Theme(
        "molecular biology", "expression",
        {"amount": ("inducer", "substrate", "activator"), "inhibitor": ("repressor", "inhibitor"),
         "temperature": ("temperature",), "decay": ("chase_time",), "growth": ("induction_time",),
         "position": ("acidity",)},
        "strain", ("wild_type", "mutant", "knockout", "hybrid"),
    ),
)  # fmt: skip

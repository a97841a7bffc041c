"""The belief over real measurements against the published fit."""

import pytest

from domains.measurements import read_replay
from orchestrator.investigation import Investigation

PUBLISHED = {
    "vmax": (212.7, 6.95),
    "km": (0.0641, 0.00828),
}  # Bates & Watts 1988, p. 41: least squares, standard errors


@pytest.mark.statistical
def test_puromycin_agrees_with_the_published_fit() -> None:
    """Means within one standard error, standard deviations within 30 %, with all 12 treated rows and vague priors.

    The particles' own error is about 0.03 standard deviations. The noise's uncertainty (10 degrees of freedom) widens
    the posterior by √(10/8), 12 %, over the published errors.
    """
    question = Investigation("enzyme-kinetics", seed=3, policy="expected-information-gain")
    table = read_replay(question.domain, "puromycin-treated")
    for design, outcome in zip(table.designs, table.outcomes, strict=True):
        question.tell(design, outcome)
    found = question.belief["mechanisms"]["michaelis-menten"]
    for name, (estimate, error) in PUBLISHED.items():
        assert abs(found[name]["mean"] - estimate) < error
        assert 0.7 < found[name]["sd"] / error < 1.3
    assert question.belief["diagnostics"]["trusted"]


def test_hubble_saw_an_expansion() -> None:
    """A static universe is refuted; the least-squares lines through Hubble's 24 points lie in the 90 % intervals."""
    question = Investigation("expanding-universe", seed=3, policy="expected-information-gain")
    table = read_replay(question.domain, "hubble-1929")
    for design, outcome in zip(table.designs, table.outcomes, strict=True):
        question.tell(design, outcome)
    belief = question.belief
    assert belief["mechanism_probability"]["no-expansion"] < 1e-4
    linear = belief["mechanisms"]["linear"]["hubble_constant"]
    assert linear["low90"] < 423.9 < linear["high90"]  # least squares through the origin
    offset = belief["mechanisms"]["linear-with-offset"]
    assert offset["hubble_constant"]["low90"] < 454.2 < offset["hubble_constant"]["high90"]
    assert offset["offset"]["low90"] < -40.8 < offset["offset"]["high90"]

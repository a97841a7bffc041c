"""A finding's numbers and words."""

import copy
from typing import Any

import pytest

from domains.document import Domain
from domains.loading import find, load_text
from orchestrator import findings


def summary(mean: float, half: float = 1.0) -> dict[str, float | None]:
    return {"mean": mean, "sd": half / 2, "low90": mean - half, "high90": mean + half}


MICHAELIS = {"vmax": summary(212.7, 11.5), "km": summary(0.0641, 0.013), "noise": summary(10.9)}
BELIEF: dict[str, Any] = {
    "mechanism_probability": {"michaelis-menten": 0.8, "hill": 0.1996, "substrate-inhibition": 0.0004},
    "most_probable": "michaelis-menten",
    "parameters": MICHAELIS,
    "mechanisms": {
        "michaelis-menten": MICHAELIS,
        "hill": MICHAELIS | {"n": summary(1.0)},
        "substrate-inhibition": MICHAELIS | {"ki": summary(3.0)},
    },
    "diagnostics": {"trusted": True, "explained": True, "surprised": False, "lost": []},
}


@pytest.fixture(scope="module")
def domain() -> Domain:
    return find("enzyme-kinetics")


def belief(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(BELIEF) | changes


def one_run(domain: Domain, **changes: Any) -> dict[str, Any]:
    return findings.run_finding(domain, belief(**changes), experiments=12, cost=12.0)


def test_a_run_concludes_its_belief(domain: Domain) -> None:
    content = one_run(domain)
    assert content["mechanism"] == "michaelis-menten"
    assert content["probability"] == 0.8
    assert content["parameters"] == MICHAELIS
    assert content["mechanisms"] == BELIEF["mechanisms"]
    assert (content["experiments"], content["cost"], content["warnings"]) == (12, 12.0, [])


def test_a_run_in_words(domain: Domain) -> None:
    assert findings.run_text(domain, one_run(domain)).splitlines() == [
        "How fast does this enzyme work, and by which law?",
        "",
        "The law michaelis-menten is likely with probability 80.0 % (hill 20.0 %, substrate-inhibition < 0.1 %) "
        "after 12 experiments:",
        "  vmax  = 212.7 ± 5.8 (90 %: 201.2 to 224.2) counts/min²",
        "  km    = 0.0641 ± 0.0065 (90 %: 0.0511 to 0.0771) ppm",
        "  noise = 10.9 ± 0.5 (90 %: 9.9 to 11.9) counts/min²",
    ]


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.9999, "is established with probability > 99.9 %"),
        (0.95, "is established with probability 95.0 %"),
        (0.94, "is likely with probability 94.0 %"),
        (0.7, "is likely with"),
        (0.69, "leads, no more, with probability 69.0 %"),
    ],
)
def test_how_sure_in_words(domain: Domain, probability: float, words: str) -> None:
    weights = {"michaelis-menten": probability, "hill": 1 - probability, "substrate-inhibition": 0.0}
    assert words in findings.run_text(domain, one_run(domain, mechanism_probability=weights))


def test_one_experiment_is_singular(domain: Domain) -> None:
    content = findings.run_finding(domain, belief(), experiments=1, cost=1.0)
    assert "after 1 experiment:" in findings.run_text(domain, content)


def test_a_value_without_bound(domain: Domain) -> None:
    unbounded = MICHAELIS | {"km": summary(1.0) | {"high90": None}}
    text = findings.run_text(domain, one_run(domain, mechanisms=BELIEF["mechanisms"] | {"michaelis-menten": unbounded}))
    assert "km    = without bound" in text


@pytest.mark.parametrize(
    ("diagnostics", "words"),
    [
        (
            {"trusted": False, "explained": True, "surprised": False, "lost": []},
            "Beware: the particles of this belief are in poor order",
        ),
        ({"trusted": False, "explained": False}, "Beware: no law of this domain explains what came back"),
        (
            {"trusted": True, "explained": True, "surprised": True, "lost": []},
            "Beware: no law of this domain explains the data",
        ),
        (
            {"trusted": False, "explained": True, "surprised": False, "lost": ["hill"]},
            "Beware: none of the particles of hill",
        ),
    ],
)
def test_a_belief_that_is_not_to_be_trusted_says_so(domain: Domain, diagnostics: dict[str, bool], words: str) -> None:
    assert findings.run_text(domain, one_run(domain, diagnostics=diagnostics)).splitlines()[-1].startswith(words)


MISFIT = {
    "log_evidence": 4.0,
    "peak": 5.83,
    "law": "michaelis-menten",
    "outcome": "velocity",
    "kind": "design",
    "where": [{"design": {"substrate": 0.02}, "residual": -3.14}, {"design": {"substrate": 1.1}, "residual": 2.0}],
}


def test_a_finding_says_where_no_law_explains_the_data(domain: Domain) -> None:
    diagnostics = {"trusted": True, "explained": True, "surprised": True, "lost": [], "misfit": MISFIT}
    found = one_run(domain, diagnostics=diagnostics)
    lines = findings.run_text(domain, found).splitlines()
    assert lines[2] == (
        "No law of this domain explains the data: velocity departs from michaelis-menten in a way that depends on the "
        "design, most at substrate = 0.02 ppm (3.1 sd below); substrate = 1.1 ppm (2.0 sd above). "
        "If one of them held, evidence as strong as this would arise in at most 1 run in 340."
    )
    assert lines[3].startswith("The law michaelis-menten is the best of them with probability 80.0 %")
    assert not any(line.startswith("Beware") for line in lines)
    certain = found | {"misfit": MISFIT | {"peak": 800.0, "kind": "more scatter"}}
    assert "in at most 1 run in a million" in findings.run_text(domain, certain)
    assert "scatters more than michaelis-menten allows" in findings.run_text(domain, certain)
    campaign = findings.campaign_finding(domain, [found, found, one_run(domain)], [None] * 3, [])
    assert campaign["warnings"] == {findings.UNEXPLAINED: 2}
    assert "Beware, in 2 of the runs: no law of this domain explains the data" in findings.campaign_text(
        domain, campaign
    )


def test_evidence_without_an_alarm_is_no_finding(domain: Domain) -> None:
    quiet = {"log_evidence": -0.5, "peak": 0.2}
    diagnostics = {"trusted": True, "explained": True, "surprised": False, "lost": [], "misfit": quiet}
    assert "misfit" not in one_run(domain, diagnostics=diagnostics)


def test_an_unexplained_outcome_is_no_verdict_on_the_laws(domain: Domain) -> None:
    diagnostics = {"trusted": False, "explained": False}
    text = findings.run_text(domain, one_run(domain, diagnostics=diagnostics))
    assert "No law of this domain explains what came back after" in text
    assert "leads" not in text
    assert "vmax" not in text


def truth(mechanism: str, vmax: float) -> dict[str, Any]:
    return {"mechanism": mechanism, "parameters": {"vmax": vmax, "km": 0.06, "noise": 20.0}}


def test_a_campaign_counts_what_its_runs_found(domain: Domain) -> None:
    runs = [one_run(domain) for _ in range(4)]
    runs[3] = one_run(
        domain, most_probable="hill", diagnostics={"trusted": False, "explained": True, "surprised": False, "lost": []}
    )
    truths = [truth("michaelis-menten", 212.0), truth("michaelis-menten", 250.0), truth("hill", 212.0)] * 2
    content = findings.campaign_finding(domain, runs, truths[:4], [1.0, 2.0, 3.0, 6.0])
    assert content["runs"] == 4
    assert content["most_probable"] == {"michaelis-menten": 3, "hill": 1}
    assert (content["experiments"], content["cost"], content["identified"]) == (48, 48.0, 2)
    assert content["coverage90"] == {"vmax": 0.5, "km": 1.0, "noise": 0.0} | dict.fromkeys(("n", "ki"))
    assert content["information"]["mean"] == 3
    assert content["information"]["standard_error"] == pytest.approx((14 / 3) ** 0.5 / 2)
    assert list(content["warnings"].values()) == [1]
    assert "run" not in content
    text = findings.campaign_text(domain, content).splitlines()
    assert text[2] == "4 runs, 48 experiments. Most probable law: michaelis-menten in 3, hill in 1."
    assert text[3] == "The true law was the most probable one in 2 of 4 runs."
    assert text[4].startswith("The 90 % intervals held the truth in: vmax 50%, km 100%, noise 0% of the runs")
    assert text[5].startswith("Beware, in 1 of the runs: the particles")
    assert text[6] == "Information gained: 3.00 ± 1.1 nats per run."


def test_a_campaign_of_one_run_is_that_run(domain: Domain) -> None:
    run = one_run(domain)
    content = findings.campaign_finding(domain, [run], [truth("hill", 1.0)], [2.5])
    assert content["run"] == run
    assert content["information"] == {"mean": 2.5, "standard_error": None}
    text = findings.campaign_text(domain, content)
    assert text.startswith(findings.run_text(domain, run))
    assert text.endswith("Information gained: 2.50 nats per run.\nThe true law was not identified.")


def test_a_replay_claims_no_truth(domain: Domain) -> None:
    content = findings.campaign_finding(domain, [one_run(domain)], [None], [])
    assert not {"identified", "coverage90", "information"} & set(content)
    assert findings.campaign_text(domain, content) == findings.run_text(domain, one_run(domain))


def test_a_domain_of_one_law_does_not_boast_of_finding_it() -> None:
    domain = find("source-location")
    alone = {name: summary(0.5) for name in ("x1", "y1", "x2", "y2")}
    content = findings.run_finding(
        domain,
        belief(
            mechanism_probability={"two-sources": 1.0},
            most_probable="two-sources",
            parameters=alone,
            mechanisms={"two-sources": alone},
        ),
        experiments=30,
        cost=30.0,
    )
    whole = findings.campaign_finding(domain, [content], [{"mechanism": "two-sources", "parameters": {}}], [20.0])
    text = findings.campaign_text(domain, whole)
    assert "Under the law two-sources, after 30 experiments:" in text
    assert "identified" not in text


PREDICTING = """
format: 1
name: predicting
designs: {x: {real: [0, 10]}, kind: {choice: [plain, odd]}}
parameters: {a: {prior: {normal: [0, 1]}}}
mechanisms: {line: {let: {m: a * x}}}
outcomes: {y: {normal: {mean: m, sd: 1}, unit: mM}}
budget: 5
goal: {predict: {y: [{x: 12, kind: odd}, {x: 1, kind: plain}]}}
"""


def test_predictions_say_where_how_sure_and_in_what_unit() -> None:
    domain = load_text(PREDICTING)
    found = {
        "mechanism": "line", "probability": 1.0, "mechanism_probability": {"line": 1.0}, "parameters": {}, "units": {},
        "experiments": 3, "explained": True, "warnings": [],
        "prediction": {"y[0]": 1.25, "y[1]": None}, "prediction_sd": {"y[0]": 0.5, "y[1]": None},
    }  # fmt: skip
    assert findings.run_text(domain, found).splitlines()[-1] == "Expected y at x = 12, kind = odd: 1.25 ± 0.5 mM."

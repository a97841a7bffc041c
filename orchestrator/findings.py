"""What a run or a campaign concludes: the numbers, and the words a scientist would write about them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from math import exp, log
from statistics import fmean, stdev
from typing import Any

from domains.document import Domain
from orchestrator.stopping import information_in_words, targets_in_words

_SURE = 0.95
_LIKELY = 0.7
_ANSWERS = ("recommendation", "prediction", "prediction_sd", "goal_score")
_RIVALS = 6  # named in a sentence
_ENDED = {
    "answered": "with the precision asked for",
    "exhausted": "since no experiment was worth its cost",
    "budget": "when the budget paid for no more",
}
UNEXPLAINED = (
    "no law of this domain explains the data: what came back is too improbable under all of them; they may all be "
    "wrong, or a reading or its unit"
)
DEPARTURES = {
    "design": "departs from {law} in a way that depends on the design",
    "order": "departs from {law} in a way that drifts from one experiment to the next",
    "more scatter": "scatters more than {law} allows",
    "less scatter": "scatters less than {law} says",
    "outliers": "holds values that {law} all but excludes",
}


def run_finding(
    domain: Domain,
    belief: Mapping[str, Any],
    *,
    experiments: int,
    cost: float,
    given: int = 0,
    ended: str | None = None,
    stop: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A run's conclusion from its last belief, as recorded: the law, its constants, how sure, what to beware of.

    given: how many of the experiments were made before. ended: ``budget``, ``answered`` or ``exhausted``, None while
    the run goes on; stop: the rules, besides the budget, that it was to end by.
    """
    law = belief["most_probable"]
    return {
        "mechanism": law,
        "probability": belief["mechanism_probability"][law],
        "explained": belief["diagnostics"]["explained"],
        "mechanism_probability": dict(belief["mechanism_probability"]),
        "parameters": dict(belief["mechanisms"][law]),
        "mechanisms": {name: dict(values) for name, values in belief["mechanisms"].items()},
        "units": {parameter.name: parameter.unit for parameter in domain.parameters},
        "experiments": experiments,
        "given": given,
        "cost": cost,
        "ended": ended,
        "stop": None if stop is None else dict(stop),
        "warnings": _warnings(belief["diagnostics"]),
        **({"misfit": dict(belief["diagnostics"]["misfit"])} if "where" in _misfit(belief["diagnostics"]) else {}),
        **{key: belief[key] for key in _ANSWERS if key in belief},
    }


def _misfit(diagnostics: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = diagnostics.get("misfit", {})  # beliefs of earlier versions have none
    return found


def _warnings(diagnostics: Mapping[str, Any]) -> list[str]:
    if not diagnostics["explained"]:
        return ["no law of this domain explains what came back: at least one outcome is impossible under all of them"]
    warnings = []
    if diagnostics["surprised"]:
        warnings.append(UNEXPLAINED)
    if diagnostics["lost"]:
        laws = " and ".join(diagnostics["lost"])
        warnings.append(f"none of the particles of {laws} could give an outcome; with more particles one might")
    elif not diagnostics["trusted"]:
        warnings.append("the particles of this belief are in poor order (see its diagnostics): take care")
    return warnings


def run_text(domain: Domain, content: Mapping[str, Any]) -> str:
    """A run's finding in words."""
    if not content.get("explained", True):  # findings of earlier versions do not say
        words = f"No law of this domain explains what came back {_after(content)}."
        return "\n".join([domain.title, "", words, *_ending(domain, content), *_beware(content)])
    lines = [domain.title, "", *_departure(domain, content), _law_sentence(domain, content)]
    width = max((len(name) for name in content["parameters"]), default=0)
    for name, values in content["parameters"].items():
        lines.append(f"  {name:<{width}} = {_interval(values)}{_unit(content['units'].get(name, ''))}")
    lines += _answer(domain, content)
    return "\n".join([*lines, *_ending(domain, content), *_beware(content)])


def _ending(domain: Domain, content: Mapping[str, Any]) -> list[str]:
    """Why the run ended, where more than its budget could end it."""
    stop = content.get("stop")  # findings of earlier versions do not say
    if stop is None:
        return []
    targets = targets_in_words(stop)
    least = information_in_words(stop, predicts=domain.goal.kind == "predict")
    if content["ended"] == "answered":
        return [f"It ended with the precision asked for: {targets}."]
    if content["ended"] == "exhausted":
        return [f"It ended since no experiment was expected to tell {least}."]
    if content["ended"] == "budget":
        missed = f" The precision asked for was not reached: that {targets}." if targets else ""
        return [f"It ended when the budget paid for no more.{missed}"]
    return []


def _beware(content: Mapping[str, Any]) -> list[str]:
    told = UNEXPLAINED if "misfit" in content and content.get("explained", True) else None
    return [f"Beware: {warning}." for warning in content["warnings"] if warning != told]


def _departure(domain: Domain, content: Mapping[str, Any]) -> list[str]:
    """That no law explains the data, how strong the evidence is, and where the data depart from the leading law."""
    if "misfit" not in content:
        return []
    misfit = content["misfit"]
    units = {design.name: design.unit for design in domain.designs}
    places = [
        f"{', '.join(f'{name} = {_setting(v)}{_unit(units[name])}' for name, v in place['design'].items())} "
        f"({abs(place['residual']):.1f} sd {'above' if place['residual'] > 0 else 'below'})"
        for place in misfit["where"]
    ]
    how = DEPARTURES[misfit["kind"]].format(law=misfit["law"])
    rarity = "a million" if misfit["peak"] > log(1e6) else f"{exp(misfit['peak']):,.0f}"
    return [
        f"No law of this domain explains the data: {misfit['outcome']} {how}, most at {'; '.join(places)}. "
        f"If one of them held, evidence as strong as this would arise in at most 1 run in {rarity}."
    ]


def _answer(domain: Domain, content: Mapping[str, Any]) -> list[str]:
    """The recommendation or the predictions, where the goal asks for them."""
    lines = []
    if "recommendation" in content:
        units = {design.name: design.unit for design in domain.designs}
        what = "most" if domain.goal.kind == "maximise" else "least"
        objective = domain.goal.objective.text if domain.goal.objective else "it"
        settings = ", ".join(
            f"{name} = {_setting(v)}{_unit(units[name])}" for name, v in content["recommendation"].items()
        )
        lines.append(f"For the {what} {objective}: {settings}.")
    return [*lines, *_predictions(domain, content)]


def _predictions(domain: Domain, content: Mapping[str, Any]) -> list[str]:
    """Each expected outcome with its standard deviation, unit and design."""
    predicted, sds = content.get("prediction", {}), content.get("prediction_sd", {})  # earlier versions gave no sd
    lines = []
    for outcome in (outcome for outcome in domain.outcomes if outcome.name in domain.goal.points):
        points = domain.goal.points[outcome.name]
        for index, (entry, point) in enumerate(product(outcome.entries, points)):
            name = f"{outcome.name}[{index}]"
            if predicted.get(name) is not None:
                where = ", ".join(f"{design} = {_setting(value)}" for design, value in point.items())
                spread = "" if sds.get(name) is None else f" ± {sds[name]:.2g}"
                lines.append(f"Expected {entry} at {where}: {predicted[name]:.4g}{spread}{_unit(outcome.unit)}.")
    return lines


def _setting(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _law_sentence(domain: Domain, content: Mapping[str, Any]) -> str:
    law, probability = content["mechanism"], content["probability"]
    label = next((mechanism.label for mechanism in domain.mechanisms if mechanism.name == law), "")
    named = f"{law} ({label})" if label else law
    others = {name: p for name, p in content["mechanism_probability"].items() if name != law}
    after = _after(content)
    if not others:
        return f"Under the law {named}, {after}:"
    verdict = "is established" if probability >= _SURE else "is likely" if probability >= _LIKELY else "leads, no more,"
    if "misfit" in content:
        verdict = "is the best of them"
    ranked = sorted(others.items(), key=lambda item: -item[1])
    rivals = ", ".join(f"{name} {percent(p)}" for name, p in ranked[:_RIVALS])
    if len(ranked) > _RIVALS:
        rivals += f", {len(ranked) - _RIVALS} others {percent(sum(p for _, p in ranked[_RIVALS:]))}"
    return f"The law {named} {verdict} with probability {percent(probability)} ({rivals}) {after}:"


def _after(content: Mapping[str, Any]) -> str:
    return f"after {experiments_in_words(content)}"


def experiments_in_words(content: Mapping[str, Any]) -> str:
    count, given = content["experiments"], content.get("given", 0)  # findings of earlier versions do not say
    words = f"{count} experiment{'s' if count != 1 else ''}"
    if given == 0:
        return words
    if count == 1:
        return f"{words}, given"
    return f"{words}, {'all' if given == count else given} of them given"


def campaign_finding(
    domain: Domain,
    runs: Sequence[Mapping[str, Any]],
    truths: Sequence[Mapping[str, Any] | None],
    gained: Sequence[float | None],
) -> dict[str, Any]:
    """A campaign's conclusion from its runs' findings, their truths (None where nobody knows) and nats gained a run.

    A run whose belief called its true outcome impossible has no finite information: it is counted in the warnings.
    """
    content: dict[str, Any] = {
        "runs": len(runs),
        "most_probable": dict(Counter(run["mechanism"] for run in runs).most_common()),
        "experiments": sum(run["experiments"] for run in runs),
        "given": sum(run.get("given", 0) for run in runs),
        "cost": sum(run["cost"] for run in runs),
        "warnings": dict(Counter(warning for run in runs for warning in run["warnings"])),
    }
    if any(run.get("stop") for run in runs):  # findings of earlier versions do not say
        content["ended"] = dict(Counter(run["ended"] for run in runs).most_common())
    finite = [nats for nats in gained if nats is not None]
    if finite:
        content["information"] = {"mean": fmean(finite), "standard_error": _standard_error(finite)}
    if len(finite) < len(gained):
        lost = "the belief had ruled out what then came back, so the information gained is not known"
        content["warnings"][lost] = len(gained) - len(finite)
    known = [(run, truth) for run, truth in zip(runs, truths, strict=True) if truth is not None]
    if known:
        content["identified"] = sum(run["mechanism"] == truth["mechanism"] for run, truth in known)
        content["coverage90"] = _coverage(domain, known)
    scores = [run["goal_score"] for run in runs if run.get("goal_score") is not None]
    if scores:
        content["goal_score"] = {"mean": fmean(scores), "standard_error": _standard_error(scores)}
    if len(runs) == 1:
        content["run"] = dict(runs[0])
    return content


def _standard_error(values: Sequence[float]) -> float | None:
    return stdev(values) / len(values) ** 0.5 if len(values) > 1 else None


def _coverage(domain: Domain, known: list[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, float | None]:
    """Per parameter: the share of runs whose 90 % interval holds the truth, of those that found the true law."""
    shares: dict[str, float | None] = {}
    for name in (entry for parameter in domain.parameters for entry in parameter.entries):
        pairs = [
            (run["parameters"][name], truth["parameters"][name])
            for run, truth in known
            if run["mechanism"] == truth["mechanism"] and name in truth["parameters"]
        ]
        bounded = [(found, value) for found, value in pairs if None not in (found["low90"], found["high90"])]
        inside = [found["low90"] <= value <= found["high90"] for found, value in bounded]
        shares[name] = sum(inside) / len(inside) if inside else None
    return shares


def campaign_text(domain: Domain, content: Mapping[str, Any]) -> str:
    """A campaign's finding in words; of a single run, that run's."""
    lines = [run_text(domain, content["run"])] if "run" in content else [domain.title, "", *_many(domain, content)]
    if "information" in content:
        lines.append(f"Information gained: {_mean(content['information'], '.2f')} nats per run.")
    if "goal_score" in content:
        what = "Squared error over the prior's variance" if domain.goal.kind == "predict" else "Simple regret"
        lines.append(f"{what}: {_mean(content['goal_score'])}.")
    if "run" in content and "identified" in content and len(domain.mechanisms) > 1:
        lines.append(f"The true law was {'' if content['identified'] else 'not '}identified.")
    return "\n".join(lines)


def _many(domain: Domain, content: Mapping[str, Any]) -> list[str]:
    runs = content["runs"]
    lines = [f"{runs} runs, {experiments_in_words(content)}."]
    if len(domain.mechanisms) > 1:
        leading = list(content["most_probable"].items())
        found = ", ".join(f"{name} in {count}" for name, count in leading[:_RIVALS])
        found += f", {len(leading) - _RIVALS} others once or more" if len(leading) > _RIVALS else ""
        lines[0] += f" Most probable law: {found}."
    if "identified" in content and len(domain.mechanisms) > 1:
        lines.append(f"The true law was the most probable one in {content['identified']} of {runs} runs.")
    covered = [f"{name} {share:.0%}" for name, share in content.get("coverage90", {}).items() if share is not None]
    if covered:
        lines.append(f"The 90 % intervals held the truth in: {', '.join(covered)} of the runs that found the true law.")
    if "ended" in content:
        ended = (f"{count} {_ENDED[why]}" for why, count in content["ended"].items())
        lines.append(f"Why the runs ended: {', '.join(ended)}.")
    lines += [f"Beware, in {count} of the runs: {warning}." for warning, count in content["warnings"].items()]
    return lines


def _mean(summary: Mapping[str, float | None], digits: str = ".3g") -> str:
    error = summary["standard_error"]
    return f"{summary['mean']:{digits}}" + (f" ± {error:.2g}" if error is not None else "")


def percent(probability: float) -> str:
    if probability >= 0.9995:
        return "> 99.9 %"
    return "< 0.1 %" if probability < 0.0005 else f"{100 * probability:.1f} %"


def _interval(values: Mapping[str, float | None]) -> str:
    mean, sd, low, high = (values[key] for key in ("mean", "sd", "low90", "high90"))
    if mean is None or sd is None or low is None or high is None:
        return "without bound"
    return f"{mean:.4g} ± {sd:.2g} (90 %: {low:.4g} to {high:.4g})"


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""

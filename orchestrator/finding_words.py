"""A finding in the words that a scientist would write: what was found, how sure that is, what speaks against it, and
what would settle the rest. Every sentence is made of recorded numbers; where the record does not say, it says that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, floor, isfinite, log, log10

from orchestrator.finding_report import Constant, Report
from orchestrator.findings import DEPARTURES, UNEXPLAINED, experiments_in_words, percent

ESTABLISHED, LIKELY = 0.95, 0.7
_RIVAL = 0.05  # a law below this is no rival worth a sentence
_HARDLY_NARROWED = 0.7  # of the prior's width
_RECENT = 5  # experiments, by which the rate is judged
_MANY = 1000  # experiments, beyond which a forecast is none
_UNTOLD = 0.95  # of the prior's width: what is left where the data say nothing that a forecast could go by


@dataclass(frozen=True)
class Words:
    """The four paragraphs, a sentence each entry."""

    found: tuple[str, ...]
    sure: tuple[str, ...]
    against: tuple[str, ...]
    rest: tuple[str, ...]


SECTIONS = {
    "found": "What was found",
    "sure": "How sure this is",
    "against": "What speaks against it",
    "rest": "What would settle the rest",
}


def in_words(report: Report) -> Words:
    """A report in words."""
    against = tuple(_against(report)) or ("Nothing on record does.",)
    return Words(tuple(_found(report)), tuple(_sure(report)), against, tuple(_rest(report)))


def measured(constant: Constant) -> str:
    """``213 (90 %: 195 to 231) counts/min²``, with as many digits as the interval gives sense to."""
    unit = f" {constant.unit}" if constant.unit else ""
    mean, low, high = constant.mean, constant.low90, constant.high90
    if mean is None or low is None or high is None:
        return f"not bounded by the data{unit and f' (in{unit})'}"
    centre, *ends = rounded([mean, low, high], high - low)
    return f"{centre} (90 %: {ends[0]} to {ends[1]}){unit}"


def rounded(values: list[float], width: float) -> list[str]:
    """Numbers to two digits of half a width, all to the same place."""
    if not (width > 0 and isfinite(width)):
        return [f"{value:.4g}".replace("-", "−") for value in values]
    place = 1 - floor(log10(width / 2))
    largest = max(abs(value) for value in values)
    if largest >= 1e6 or largest < 1e-3:
        digits = max(2, floor(log10(largest)) + place + 1) if largest > 0 else 2
        return [f"{value:.{min(digits, 12)}g}".replace("-", "−") for value in values]
    return [f"{round(value, place):,.{max(0, place)}f}".replace("-", "−") for value in values]


def settings_in_words(report: Report, design: dict[str, float | str]) -> str:
    """``substrate = 0.06 ppm, method = quick``."""
    return ", ".join(
        f"{name} = {value}" if isinstance(value, str) else f"{name} = {value:.4g}{_unit(report.units.get(name, ''))}"
        for name, value in design.items()
    )


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def _found(report: Report) -> Iterator[str]:
    law, one = report.law, report.of_one
    after = f"After {experiments_in_words(report.content)}" if "experiments" in report.content else "In the end"
    if law is None:
        yield f"{after}, the record says no more than the text below."
        return
    if not one:
        yield from _found_in_many(report, after)
        return
    if not one.get("explained", True):
        yield f"{after}, no law of this domain explains what came back."
        return
    named = f"{law.name} ({law.label})" if law.label else law.name
    if len(report.laws) == 1:
        yield f"{after}, under the law {named}:"
    elif "misfit" in one:
        yield f"{after}, {named} fits best of the domain's {len(report.laws)} laws, and does not explain the data."
    else:
        verdict = "is established" if law.probability >= ESTABLISHED else "is likely"
        verdict = verdict if law.probability >= LIKELY else "leads without being established"
        yield f"{after}, the law {named} {verdict}: its probability is {percent(law.probability)}."
    for constant in report.constants:
        yield f"{constant.described} = {measured(constant)}."
    if "recommendation" in one:
        yield f"Recommended: {settings_in_words(report, one['recommendation'])}."


def _found_in_many(report: Report, after: str) -> Iterator[str]:
    tally = report.content.get("most_probable") or {}
    found = ", ".join(f"{law} in {count}" for law, count in tally.items())
    yield f"{after} in {report.runs} runs, the most probable law was {found}."
    if "identified" in report.content:
        yield f"The true law, which is known here, was the most probable one in {report.content['identified']} runs."


def _sure(report: Report) -> Iterator[str]:
    one = report.of_one
    if not one:
        yield from _sure_of_many(report)
        return
    if len(report.laws) > 1 and report.law is not None:
        odds = _odds(report.law.probability)
        yield (
            f"Among the {len(report.laws)} laws of this domain the odds for {report.law.name} are {odds} against all "
            "others together, provided that one of them holds."
        )
    elif report.laws:
        yield "The domain has one law, which is taken for granted: what is learned are its constants."
    if known := [(c, c.left) for c in report.constants if c.left is not None]:
        shares = ", ".join(f"{constant.name} {_share(left)}" for constant, left in known)
        factors = [constant.name for constant, _ in known if constant.over_decades]
        of_factors = f" Of {', '.join(factors)}, which may lie decades apart, factors are compared." if factors else ""
        yield f"Of the width that the prior gave their 90 % intervals, there is left: {shares}.{of_factors}"
    yield from _gained(report)


def _share(left: float) -> str:
    return "< 0.1 %" if left < 0.001 else f"{100 * left:.2g} %" if left < 0.995 else f"{100 * left:.0f} %"


def _gained(report: Report) -> Iterator[str]:
    gained = report.content.get("information")
    if gained:
        error = "" if gained.get("standard_error") is None else f" ± {gained['standard_error']:.2g}"
        yield f"Information gained: {gained['mean']:.2f}{error} nats a run."


def _sure_of_many(report: Report) -> Iterator[str]:
    covered = {k: v for k, v in (report.content.get("coverage90") or {}).items() if v is not None}
    if covered:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in covered.items())
        yield f"The 90 % intervals held the truth in {shares} of the runs that found the true law (due: 90 %)."
    yield from _gained(report)
    yield "Every run has its own finding, with its own probabilities and intervals."


def _against(report: Report) -> Iterator[str]:
    yield from _doubts(report)
    yield from _rivals(report)
    yield from _thin_data(report)
    if report.revised:
        results = "one result was" if report.revised == 1 else f"{report.revised} results were"
        yield f"Of the data, {results} corrected or withdrawn afterwards; the finding rests on what holds now."
    if report.laboratory == "simulate":
        yield "The experiments were simulated by the domain's own laws: this is no evidence about nature."
    if (verdict := report.verdict) is not None and verdict.verdict == "rejected":
        yield f"{verdict.by} rejected it: {verdict.reason}"


def _doubts(report: Report) -> Iterator[str]:
    """What the belief itself says: misfit, surprise, particles in poor order."""
    one = report.of_one
    misfit = one.get("misfit")
    if misfit:
        how = DEPARTURES.get(misfit["kind"], "departs from {law}").format(law=misfit["law"])
        rarity = "a million" if misfit["peak"] > log(1e6) else f"{exp(misfit['peak']):,.0f}"
        yield (
            f"{misfit['outcome']} {how}. If one of the laws held, evidence as strong as this would arise in at most 1 "
            f"run in {rarity}."
        )
    if not one:
        for warning, count in (report.content.get("warnings") or {}).items():
            yield f"In {count} of {report.runs} runs: {warning}."
        return
    for warning in one.get("warnings") or []:
        if not (misfit and warning == UNEXPLAINED):
            yield f"{warning[:1].upper()}{warning[1:]}."


def _rivals(report: Report) -> Iterator[str]:
    if not report.of_one:
        # Simulated runs have each its own true law, and are right to disagree.
        if len(report.laws) > 1 and "identified" not in report.content:
            yield "The runs disagree about the law."
        return
    for rival in report.laws[1:]:
        if rival.probability >= _RIVAL:
            one_in = 1 / rival.probability
            yield f"The rival law {rival.name} keeps a probability of {percent(rival.probability)} (1 in {one_in:.2g})."


def _thin_data(report: Report) -> Iterator[str]:
    """Few experiments, constants that the data say little of, and conflicts with the prior."""
    unknown = len(report.constants)
    if unknown and report.experiments < 2 * unknown:
        yield f"The data are few: {report.experiments} experiments for {unknown} unknown constants."
    loose = [constant.name for constant in report.constants if (constant.left or 0.0) > _HARDLY_NARROWED]
    if loose:
        yield f"What is said of {', '.join(loose)} comes from the prior more than from the data."
    unbounded = [constant.name for constant in report.constants if constant.mean is None]
    if unbounded:
        yield f"The data give no bound for {', '.join(unbounded)}."
    for constant in report.constants:
        ends = (constant.low90, constant.high90, constant.prior_low, constant.prior_high)
        if None not in ends and _apart(*(float(end or 0.0) for end in ends)):
            yield (
                f"{constant.name} lies outside the range in which its prior expected it with 90 % "
                f"({constant.prior_low:.3g} to {constant.prior_high:.3g}{_unit(constant.unit)}): so does one constant "
                "in ten where the prior is right; else prior or data are off."
            )


def _apart(low: float, high: float, prior_low: float, prior_high: float) -> bool:
    return low > prior_high or high < prior_low


def _rest(report: Report) -> Iterator[str]:
    one = report.of_one
    if not one:
        yield "Look at the single runs: each has its own next experiment."
        return
    if "misfit" in one or not one.get("explained", True):
        yield (
            "Not more experiments of this kind: the domain needs another law, or a reading or a unit must be checked."
        )
        return
    yield from _law_to_settle(report)
    yield from _constants_to_settle(report)
    yield _next_experiment(report)


def _law_to_settle(report: Report) -> Iterator[str]:
    law = report.law
    if law is None or len(report.laws) < 2:
        return
    if law.probability >= ESTABLISHED:
        yield f"Which law it is counts as settled ({percent(ESTABLISHED)} or more)."
        return
    rate, over = odds_rate(report)
    if rate is None:
        yield f"How many more would bring {law.name} to {percent(ESTABLISHED)} is not known: there were too few so far."
        return
    more = (_logit(ESTABLISHED) - _logit(law.probability)) / rate if rate > 0 else None
    if more is None or more > _MANY:
        yield (
            f"How many more experiments would bring {law.name} to {percent(ESTABLISHED)} is not known: over the last "
            f"{over} the odds for it {'did not grow' if rate <= 0 else 'hardly grew'}."
        )
        return
    count = max(1, floor(more) + (more % 1 > 0))
    yield (
        f"At the recent rate (over the last {over} experiments the odds for {law.name} grew {exp(rate):.2g}-fold with "
        f"each) about {count} more would bring it to {percent(ESTABLISHED)}."
    )


def _odds(probability: float) -> str:
    """``3.2 to 1``, ``12,000 to 1``: two digits, which is more than particles tell of what is rare."""
    others = 1 - probability
    if others < 1e-9:
        return "more than a billion to 1"
    odds = float(f"{probability / others:.2g}")
    return f"{odds:,.0f} to 1" if odds >= 10 else f"{odds:g} to 1"


def odds_rate(report: Report) -> tuple[float | None, int]:
    """The growth of the leading law's log odds with each of the last experiments, and how many those are."""
    law = report.law
    known = [step.probability[law.name] for step in report.steps if law is not None and law.name in step.probability]
    over = min(_RECENT, len(known) - 1)
    if over < 1:
        return None, 0
    return (_logit(known[-1]) - _logit(known[-1 - over])) / over, over


def _logit(probability: float) -> float:
    inside = min(1 - 1e-12, max(1e-12, probability))
    return log(inside / (1 - inside))


def _constants_to_settle(report: Report) -> Iterator[str]:
    """Which constant is known least, as a share of itself: of one that may as well be 0 no share can be said."""
    widths = {
        constant: (constant.high90 - constant.low90) / abs(constant.mean) / 2
        for constant in report.constants
        if constant.mean and constant.low90 is not None and constant.high90 is not None and _sign_is_known(constant)
    }
    if widths and report.experiments:
        worst = max(widths, key=lambda constant: widths[constant])
        yield (
            f"Of the constants {worst.name} is known least, to ±{100 * widths[worst]:.2g} %. "
            f"{_halving(worst, report.experiments)}"
        )


def _sign_is_known(constant: Constant) -> bool:
    return (constant.low90 or 0.0) > 0 or (constant.high90 or 0.0) < 0


def _halving(constant: Constant, experiments: int) -> str:
    """Half the width is four times the precision, of which the prior's part came for nothing: precision is width to
    the power −2, so that the data's part of it is 1 − left²."""
    left = constant.left or 0.0
    if left > _UNTOLD:
        return "How many more would halve that is not known: those so far tell next to nothing of it."
    more = float(f"{3 * experiments / (1 - left**2):.2g}")
    return f"Half of that takes about {more:,.0f} more experiments, if they tell as much as those so far."


def _next_experiment(report: Report) -> str:
    if report.considered is None:
        return "Which experiment would tell most now is not on record: no other was considered for the last one."
    return (
        "The best experiment on record that was not done, from before the last outcome was known: "
        f"{settings_in_words(report, report.considered.design)} "
        f"(score {report.considered.score:.3g}, by {report.policy})."
    )

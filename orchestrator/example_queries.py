"""Queries to begin with. Each runs on SQLite and on PostgreSQL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CAMPAIGN = "CAMPAIGN"  # stands in an example for a campaign's id


@dataclass(frozen=True)
class Example:
    """A query and what it answers."""

    meaning: str
    text: str


EXPERIMENTS_OF = "experiments of a campaign"
EXAMPLES = {
    EXPERIMENTS_OF: Example(
        f"Put a campaign's id in the place of {CAMPAIGN}; its page and its finding lead here with it filled in.",
        """-- Every experiment of one campaign: what was set, what came back, and which law led after it.
SELECT run."index" AS run, experiment.step, experiment.design, experiment.outcome, experiment.cost,
       experiment.information, experiment.belief ->> 'most_probable' AS law, experiment.created_at
FROM experiment
JOIN run ON run.id = experiment.run_id
WHERE run.campaign_id = 'CAMPAIGN'
ORDER BY run."index", experiment.step""",
    ),
    "experiments per day": Example(
        "How much was run on each day (UTC), and what it cost.",
        """SELECT day, SUM(experiments) AS experiments, SUM(cost) AS cost
FROM usage
GROUP BY day
ORDER BY day""",
    ),
    "cost by domain": Example(
        "Where the budget went.",
        """SELECT domain.name AS domain, COUNT(DISTINCT campaign.id) AS campaigns, COUNT(run.id) AS runs,
       SUM(run.steps) AS experiments, SUM(run.cost) AS cost
FROM run
JOIN campaign ON campaign.id = run.campaign_id
JOIN domain ON domain.identity = campaign.domain_identity
GROUP BY domain.name
ORDER BY cost DESC""",
    ),
    "most surprising runs": Example(
        "The runs with the strongest evidence against all laws of their domain, in nats at its peak: above 3 it is "
        "worth a look, above 7 one run in a thousand would show it by chance.",
        """SELECT campaign.id AS campaign, run."index" AS run, domain.name AS domain, campaign.laboratory,
       experiment.belief ->> 'most_probable' AS law,
       CAST(experiment.belief -> 'diagnostics' -> 'misfit' ->> 'peak' AS double precision) AS evidence_against_all_laws
FROM run
JOIN experiment ON experiment.run_id = run.id AND experiment.step = run.steps - 1
JOIN campaign ON campaign.id = run.campaign_id
JOIN domain ON domain.identity = campaign.domain_identity
WHERE experiment.belief -> 'diagnostics' -> 'misfit' ->> 'peak' IS NOT NULL
ORDER BY evidence_against_all_laws DESC
LIMIT 50""",
    ),
    "agents compared": Example(
        "Nats gained per run by each agent on each domain, in simulated campaigns that have finished.",
        """SELECT domain.name AS domain, campaign.policy AS agent, COUNT(*) AS runs,
       AVG(gained.nats) AS nats_per_run, AVG(gained.nats / gained.cost) AS nats_per_cost
FROM (SELECT experiment.run_id, SUM(experiment.information) AS nats, SUM(experiment.cost) AS cost
      FROM experiment WHERE experiment.information IS NOT NULL AND NOT experiment.given
      GROUP BY experiment.run_id HAVING SUM(experiment.cost) > 0) AS gained
JOIN run ON run.id = gained.run_id
JOIN campaign ON campaign.id = run.campaign_id
JOIN domain ON domain.identity = campaign.domain_identity
WHERE campaign.status = 'finished'
GROUP BY domain.name, campaign.policy
ORDER BY domain.name, nats_per_run DESC""",
    ),
    "findings and their verdicts": Example(
        "What was concluded, newest first, and what people said of it.",
        """SELECT finding.campaign_id AS campaign, run."index" AS run, finding.created_at, judgement.verdict,
       judgement.by, judgement.reason, finding.text
FROM finding
LEFT JOIN run ON run.id = finding.run_id
LEFT JOIN judgement ON judgement.campaign_id = finding.campaign_id
     AND COALESCE(judgement.run_index, -1) = COALESCE(run."index", -1)
ORDER BY finding.created_at DESC
LIMIT 200""",
    ),
}


def experiments_of(campaign_id: str, document: Mapping[str, Any] | None = None) -> str:
    """The query of a campaign's experiments; document: its domain's, so that each setting and each outcome is a column.

    What has a name that SQL would read otherwise stays in the JSON that it is recorded in.
    """
    text = EXAMPLES[EXPERIMENTS_OF].text.replace(CAMPAIGN, "".join(c for c in campaign_id if c.isalnum()))
    for part in ("design", "outcome"):
        columns = _columns(part, (document or {}).get(f"{part}s") or {})
        text = text.replace(f"experiment.{part}, ", "".join(f"{column},\n       " for column in columns), 1)
    return text


def _columns(part: str, described: Mapping[str, Any]) -> list[str]:
    """A column for each setting, or each outcome; one for all where any of them has a name that is no plain word."""
    plain = all(re.fullmatch(r"[A-Za-z_]\w{0,60}", str(name), re.ASCII) for name in described)
    sized = any(isinstance(about, Mapping) and "size" in about for about in described.values())
    if not described or not plain or sized:
        return [f"experiment.{part}"]
    return [_column(part, str(name), about) for name, about in described.items()]


def _column(part: str, name: str, about: Any) -> str:
    value = f"experiment.{part} ->> '{name}'"
    words = isinstance(about, Mapping) and "choice" in about
    return f'{value} AS "{name}"' if words else f'CAST({value} AS double precision) AS "{name}"'

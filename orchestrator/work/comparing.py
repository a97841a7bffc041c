"""The job ``compare``: two policies in the same worlds of a domain, a block of runs at a time."""

import json
from pathlib import Path
from typing import Any

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.agents.comparison import Setting, measure_of
from meta_learner.agents.side_by_side import follow, joined, summary
from meta_learner.evaluation.investigated import check_budget
from orchestrator.device import placed
from orchestrator.errors import RequestError
from orchestrator.job_work import Work
from orchestrator.policies import open_policy

_BLOCK_RUNS, _PROPOSALS = 5, 1000
Parts = list[dict[str, Any]]  # one for each block and policy, the first policy of a block before the second


def compare(work: Work) -> dict[str, Any] | None:
    """As many blocks as there is time for; the result once all are done."""
    given, settings = work.arguments, work.settings
    domain = find(given["domain"])
    if domain.identity != given["identity"]:
        raise RequestError(f"{given['domain']} is another document than when this was asked for; ask anew")
    asked = {"runs": given["runs"], "seed": given["seed"], "particles": given["particles"]}
    setting = Setting(domain, proposals=_PROPOSALS, block_runs=_BLOCK_RUNS, **asked)
    path = settings.make_home() / "cache" / "comparisons" / f"{work.job.id}.json"
    parts, wanted = _kept(path), 2 * len(setting.blocks)
    with placed(settings.device):
        model = DomainModel(domain)
        check_budget(model, setting.spends)
        while len(parts) < wanted:
            parts.append(_part(work, model, setting, len(parts)))
            if work.time_is_up and len(parts) < wanted:
                _keep(path, parts)
                return None
    path.unlink(missing_ok=True)
    return {**_result(parts), "measure": measure_of(domain), "budget": setting.spends, "goal": domain.goal.kind}


def _part(work: Work, model: DomainModel, setting: Setting, index: int) -> dict[str, Any]:
    """A block by one policy; progress is of all."""
    block, which = divmod(index, 2)
    policy = work.arguments["policies"][which]
    opened = open_policy(work.settings, policy["name"], policy["weights"], model)
    first = block * _BLOCK_RUNS + 1
    worlds = f"worlds {first} to {first + setting.blocks[block] - 1}"

    def tell(share: float) -> None:
        work.tell(min(1.0, (index + share) / (2 * len(setting.blocks))), f"{policy['name']}, {worlds}")

    return follow(model, opened, setting, block, tell).plain()


def _result(parts: Parts) -> dict[str, Any]:
    found = summary([joined(parts[which::2]) for which in (0, 1)])
    if found["runs"] < 2:
        raise RequestError(
            f"in {found['left_out']} worlds the belief came to rule out what happened, so that fewer than two can be "
            "compared; more particles may mend it"
        )
    return found


def _kept(path: Path) -> Parts:
    """What earlier slices did."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def _keep(path: Path, parts: Parts) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".partial")
    draft.write_text(json.dumps(parts), encoding="utf-8")
    draft.replace(path)

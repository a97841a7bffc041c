"""The job ``adapt``: slices of an agent's learning on one domain; at the end, another agent.

One that was cancelled leaves no agent; asked for again, it goes on where its last slice ended.
"""

from pathlib import Path
from typing import Any

from domains.loading import find
from orchestrator.adaptation import Asked, begun
from orchestrator.device import placed
from orchestrator.errors import RequestError
from orchestrator.job_work import Work


def adapt(work: Work) -> dict[str, Any] | None:
    """The next slice; the result once the time is over."""
    given, settings = work.arguments, work.settings
    domain = find(given["domain"])
    if domain.identity != given["identity"]:
        raise RequestError(f"{given['domain']} is another document than when this was asked for; ask anew")
    asked = Asked(domain, given["agent"], given["name"], given["seconds"], given["which"])
    path = settings.make_home() / "adaptation" / f"{given['name']}.safetensors"
    with placed(settings.device):
        adaptation = begun(settings, asked)
        adaptation.resume(path)
        if not adaptation.over:
            adaptation.learn(lambda: work.time_is_up, lambda share, value: work.tell(share, f"regret {value:.3f}"))
        if not adaptation.over:
            adaptation.keep(path)
            return None
        done = adaptation.finish(settings)
    _forget(path)
    return {
        "agent": done.agent.name,
        "steps": done.steps,
        "seconds": done.seconds,
        "regret_before": done.regret_before,
        "regret_after": done.regret_after,
    }


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)

"""The routes. Each asks the services or the bench, which check everything; errors become answers in ``problems``."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from experiments_db.models import CAMPAIGN_STATUSES
from orchestrator import services, suggestion_lines
from orchestrator.api import schemas
from orchestrator.api.access import Operator, TheOffice, Viewer
from orchestrator.api.problems import PROBLEMS
from orchestrator.errors import RequestError

routes = APIRouter(prefix="/v1", responses=PROBLEMS)

CampaignId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,12}$", description="The campaign's id, or the beginning of it.")]
SuggestionId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Status = Annotated[str, Query(pattern=f"^({'|'.join(CAMPAIGN_STATUSES)})$")]
Line = dict[str, Any]


@routes.get("/campaigns", response_model=list[schemas.CampaignLine])
def list_campaigns(who: Viewer, here: TheOffice, limit: Limit = 50, status: Status | None = None) -> list[Line]:
    """Campaigns, newest first."""
    del who
    return services.list_campaigns(here.database, limit=limit, status=status)


@routes.post("/campaigns", response_model=schemas.Created, status_code=201)
def create_campaign(who: Operator, here: TheOffice, body: schemas.NewCampaign) -> Line:
    """Record a campaign for the workers."""
    del who
    values = body.model_dump(exclude={"document", "data", "stop"})
    if body.domain is not None and body.domain not in services.domain_names():
        raise RequestError(f"the catalogue has no domain {body.domain!r}; hand yours over as document")
    values |= {"domain": body.document or body.domain, "data": body.data, "stop": body.stop}
    return {"id": services.create_campaign(here.settings, here.database, services.campaign_request(**values)).id}


@routes.get("/campaigns/{campaign}", response_model=schemas.Campaign)
def show_campaign(who: Viewer, here: TheOffice, campaign: CampaignId) -> Line:
    """A campaign's status, progress, what waits, and its finding once there is one."""
    del who
    status = services.campaign_status(here.database, campaign)
    return {**status, "waiting": suggestion_lines.waiting(here.database, status["id"])}


@routes.post("/campaigns/{campaign}/pause", response_model=schemas.Steered)
def pause_campaign(who: Operator, here: TheOffice, campaign: CampaignId) -> Line:
    """Stop a campaign after the step at hand."""
    del who
    return {"id": services.pause_campaign(here.database, campaign)}


@routes.post("/campaigns/{campaign}/resume", response_model=schemas.Steered)
def resume_campaign(who: Operator, here: TheOffice, campaign: CampaignId) -> Line:
    """Let a paused campaign go on."""
    del who
    return {"id": services.resume_campaign(here.settings, here.database, campaign)}


@routes.post("/campaigns/{campaign}/cancel", response_model=schemas.Steered)
def cancel_campaign(who: Operator, here: TheOffice, campaign: CampaignId) -> Line:
    """End a campaign for good."""
    del who
    return {"id": services.cancel_campaign(here.database, campaign)}


@routes.get("/campaigns/{campaign}/suggestions", response_model=list[schemas.Suggestion])
def list_suggestions(
    who: Viewer, here: TheOffice, campaign: CampaignId, every: bool = False, limit: Limit = 1000
) -> list[Line]:
    """What waits in a campaign; every: what is done, too. The newest ``limit``."""
    del who
    return suggestion_lines.pending(here.database, campaign, every=every)[-limit:]


@routes.post(
    "/campaigns/{campaign}/ask",
    response_model=schemas.Suggestion,
    responses={204: {"description": "Nothing is to be run now."}},
)
def ask(who: Operator, here: TheOffice, campaign: CampaignId, body: schemas.Asked | None = None) -> Any:
    """Take the next experiment to run: nobody else is given it."""
    taken = here.bench(who, None if body is None else body.by).take(campaign)
    return Response(status_code=204) if taken is None else taken


@routes.get("/suggestions", response_model=list[schemas.Suggestion])
def list_waiting(who: Viewer, here: TheOffice, limit: Limit = 1000) -> list[Line]:
    """What waits in all campaigns that go on."""
    del who
    return suggestion_lines.pending(here.database)[:limit]


@routes.get("/suggestions/{suggestion}", response_model=schemas.SuggestionInFull)
def show_suggestion(who: Viewer, here: TheOffice, suggestion: SuggestionId) -> Line:
    """A suggestion, what it was chosen from, and what was said of its result."""
    del who
    return suggestion_lines.show(here.database, suggestion)


@routes.post("/suggestions/{suggestion}/tell", response_model=schemas.Suggestion)
def tell(who: Operator, here: TheOffice, suggestion: SuggestionId, body: schemas.Told) -> Line:
    """Say what came back. The same said twice counts once."""
    return here.bench(who, body.by).tell(suggestion, body.outcome, body.design)


@routes.post("/suggestions/{suggestion}/fail", response_model=schemas.Suggestion)
def fail(who: Operator, here: TheOffice, suggestion: SuggestionId, body: schemas.Reasoned) -> Line:
    """Say that an experiment was run and brought nothing; it counts as made."""
    return here.bench(who, body.by).fail(suggestion, body.reason)


@routes.post("/suggestions/{suggestion}/release", response_model=schemas.Suggestion)
def release(who: Operator, here: TheOffice, suggestion: SuggestionId, body: schemas.Asked | None = None) -> Line:
    """Hand back an experiment that was taken, for somebody else to run."""
    return here.bench(who, None if body is None else body.by).release(suggestion)


@routes.post("/suggestions/{suggestion}/approve", response_model=schemas.Suggestion)
def approve(who: Operator, here: TheOffice, suggestion: SuggestionId, body: schemas.Approved | None = None) -> Line:
    """Let a proposed experiment be run, at other settings if they are given."""
    said = body or schemas.Approved()
    return here.bench(who, said.by).approve(suggestion, said.design)


@routes.post("/suggestions/{suggestion}/reject", response_model=schemas.Suggestion)
def reject(who: Operator, here: TheOffice, suggestion: SuggestionId, body: schemas.Reasoned) -> Line:
    """Refuse an experiment: it is not run, costs nothing, and another is suggested."""
    return here.bench(who, body.by).reject(suggestion, body.reason)


@routes.post("/suggestions/{suggestion}/correct", response_model=schemas.SuggestionInFull)
def correct(who: Operator, here: TheOffice, suggestion: SuggestionId, body: schemas.Corrected) -> Line:
    """Put a result right; old and new stay on record, and the belief is computed anew."""
    return here.bench(who, body.by).correct(suggestion, body.outcome, reason=body.reason, design=body.design)


@routes.post("/suggestions/{suggestion}/withdraw", response_model=schemas.SuggestionInFull)
def withdraw(who: Operator, here: TheOffice, suggestion: SuggestionId, body: schemas.Reasoned) -> Line:
    """Let a result count for nothing; it stays on record."""
    return here.bench(who, body.by).withdraw(suggestion, reason=body.reason)

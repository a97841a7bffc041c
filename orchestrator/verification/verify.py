"""A campaign verified: its chains, its tables, and its replay, a block at a time."""

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from domains.loading import load_text
from domains.worlds import DomainModel
from experiments_db import queries, revisions, suggestions
from experiments_db.agreement import Checked, check_block, check_campaign
from experiments_db.block_rows import block_experiments, block_findings, campaign_blocks
from experiments_db.canonical import canonical
from experiments_db.chains import check_chain, read_chain
from experiments_db.database import Database
from experiments_db.differences import Difference
from experiments_db.events import RETENTION, campaign_digest
from experiments_db.queries import BlockRecord, CampaignRecord, DomainRecord
from meta_learner.policies import Policy
from orchestrator import services
from orchestrator.device import placed
from orchestrator.errors import EXPECTED
from orchestrator.machine import machine_kind
from orchestrator.opening import check_identity, recorded_policy
from orchestrator.settings import Settings
from orchestrator.suggestion_rules import is_suggested
from orchestrator.verification.replaying import RecordedBlock, Replay
from orchestrator.verification.report import Report
from orchestrator.verification.suggested import SuggestedReplay
from orchestrator.verification.tolerance import different

Told = Callable[[str, float], None]


def verify(
    settings: Settings, database: Database, id_or_prefix: str, told: Told = lambda _what, _share: None
) -> Report:
    """Check a campaign's log and tables, and replay all that is recorded of it. NotFoundError where there is none."""
    with database.read() as session:
        campaign = queries.get_campaign(session, id_or_prefix)
        domain = queries.get_domain(session, campaign.domain_identity)
        own = check_campaign(session, campaign)
        report = Report(campaign.id, campaign.status, campaign_digest(session, campaign.id), events=len(own.events))
        report.differences += [*own.differences, *check_chain(RETENTION, read_chain(session, RETENTION))]
        report.origin = (campaign.imported or {}).get("digest")
        report.differences += _conclusion(session, campaign)
        blocks = campaign_blocks(session, campaign.id)
    with placed(settings.device):
        report.here = machine_kind(settings.device)
        opened = _opened(settings, campaign, domain, report)
        for place, block in enumerate(blocks):
            share = (place / len(blocks), 1 / len(blocks))
            _block(database, (campaign, domain, own.logged.older), block, report, opened, told, share)
    return report


def _opened(
    settings: Settings, campaign: CampaignRecord, domain: DomainRecord, report: Report
) -> tuple[DomainModel, Policy] | None:
    """The domain and the policy; None, with the reason in the report, where they cannot be had here."""
    try:
        document = load_text(domain.text, f"{domain.name}.yaml", domain.attachments)
        if document.identity != domain.identity and not document.python:
            place = f"domain {domain.name}"
            report.differences.append(Difference("tables", "text", document.identity, domain.identity, place=place))
        model = DomainModel(document)
        if document.python:
            check_identity(model, domain.identity)
        return model, recorded_policy(settings, campaign, model)
    except EXPECTED as error:
        report.not_replayed = str(error)
        return None


def _block(  # noqa: PLR0917
    database: Database,
    of: tuple[CampaignRecord, DomainRecord, dict[str, Any] | None],
    block_id: int,
    report: Report,
    opened: tuple[DomainModel, Policy] | None,
    told: Told,
    share: tuple[float, float],
) -> None:
    campaign, domain, older = of
    with database.read() as session:
        block = queries.get_block(session, block_id)
        checked = check_block(session, block, older)
        found = _recorded(session, campaign, domain, block, checked)
    report.events += len(checked.events)
    report.experiments += len(found.experiments)
    report.unlogged += sum(entry.step < checked.logged.first_step for entry in found.experiments)
    report.differences += checked.differences
    kinds = _kinds(checked)
    suggested = is_suggested(campaign.laboratory, campaign.settings)
    report.recorded_on += [kind for kind in kinds if kind not in report.recorded_on]
    if opened is None:
        return
    if suggested and checked.logged.first_step > 0:
        report.not_replayed = "its suggestions are older than the log, so that nobody knows on what they rested"
        return
    what, steps = f"block {block.index}", max(1, block.step)
    try:
        same_kind = all(kind == report.here for kind in kinds)
        replay = (SuggestedReplay if suggested else Replay)(*opened, found, same_kind=same_kind)
        report.blocks.append(replay.run(lambda step: told(what, share[0] + share[1] * step / steps)))
    except (*EXPECTED, KeyError, ValueError, TypeError, IndexError, RuntimeError) as error:
        # What was tampered with may be no design or outcome of the domain at all: that, too, is a difference.
        told_by = f"{type(error).__name__}: {error}"
        report.differences.append(Difference("replay", "rows", "what is recorded", told_by, place=what))


def _kinds(checked: Checked) -> list[dict[str, Any]]:
    """The kinds of machines that a block's steps, suggestions and revised beliefs were made on."""
    kinds: list[dict[str, Any]] = []
    for content in checked.logged.made_on:
        made = {name: value for name, value in content.items() if name != "streams"}
        if made not in kinds:
            kinds.append(made)
    return kinds


def _recorded(
    session: Session, campaign: CampaignRecord, domain: DomainRecord, block: BlockRecord, checked: Checked
) -> RecordedBlock:
    return RecordedBlock(
        campaign,
        block,
        queries.block_runs(session, block.id),
        block_experiments(session, block.id),
        block_findings(session, block.id),
        queries.given_measurements(session, campaign.id),
        domain.attachments,
        suggestions.suggestions(session, block_id=block.id),
        {
            place: revision.belief
            for place, revision in enumerate(revisions.revisions(session, block_id=block.id))
            if revision.belief is not None
        },
        checked.events,
    )


def _conclusion(session: Session, campaign: CampaignRecord) -> list[Difference]:
    """The campaign's finding, recomputed from what its runs found: the same on any machine."""
    finding = queries.campaign_finding(session, campaign.id)
    if finding is None:
        return []
    place = "the campaign's finding"
    try:
        content, text = services.conclusion(session, campaign.id)
    except (*EXPECTED, KeyError, ValueError, TypeError) as error:
        return [Difference("replay", "finding", "what is recorded", f"{type(error).__name__}: {error}", place=place)]
    found = list(different(finding.content, json.loads(canonical(content)), "finding"))
    if finding.text != text:
        found.append(("text", finding.text, text))
    return [Difference("replay", field, one, other, place=place) for field, one, other in found]

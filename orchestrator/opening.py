"""From the record of a block to the five steps that make it: for workers, and for who checks what they did."""

from domains.errors import DomainError
from domains.worlds import DomainModel
from experiments_db.queries import BlockRecord, CampaignRecord
from meta_learner.agents.loading import load_policy
from meta_learner.belief import BeliefSettings
from meta_learner.given import Given
from meta_learner.laboratory import Laboratory
from meta_learner.policies import Policy
from meta_learner.rollout import BlockSteps
from meta_learner.stopping import StoppingRules
from orchestrator.opening_agents import imported_agents
from orchestrator.policies import open_policy
from orchestrator.settings import Settings
from orchestrator.suggested_steps import SuggestedSteps
from orchestrator.suggestion_rules import is_suggested


def open_steps(
    campaign: CampaignRecord,
    block: BlockRecord,
    model: DomainModel,
    *,
    policy: Policy,
    laboratory: Laboratory,
    given: Given | None,
) -> BlockSteps:
    """The steps of a block as its campaign was asked for; of one run with batches of one where they are suggested."""
    suggested = is_suggested(campaign.laboratory, campaign.settings)
    return (SuggestedSteps if suggested else BlockSteps)(
        model,
        policy,
        laboratory,
        budget=campaign.budget,
        seed=campaign.seed,
        block=block.index,
        settings=belief_settings(campaign),
        given=given,
        stop=StoppingRules(**(campaign.settings.get("stop") or {})),
        batch=1 if suggested else campaign.settings.get("batch", 1),
    )


def belief_settings(campaign: CampaignRecord) -> BeliefSettings:
    """How its beliefs are computed."""
    return BeliefSettings(**campaign.settings["belief"])


def recorded_policy(settings: Settings, campaign: CampaignRecord, model: DomainModel) -> Policy:
    """The policy that a campaign was begun with; of an imported one, the agent that came with it.

    AgentError where the agent, with these weights, is not here.
    """
    agent = campaign.settings.get("agent")
    if agent is None or campaign.imported is None:
        return open_policy(settings, campaign.policy, agent and agent["weights"], model)
    return load_policy(imported_agents(settings, campaign.id).find(campaign.policy, agent["weights"]), model)


def check_identity(model: DomainModel, identity: str) -> None:
    """DomainError where the laws are Python and their code is another than when the campaign was created."""
    if model.domain.identity != identity:
        raise DomainError(
            f"the Python laws of {model.domain.name!r} here are not those that this campaign was created with; "
            "run its workers where the same version of their package is installed"
        )

"""Whether a block can be run at all: asked once, before its first step."""

from domains.conformance import check_domain
from domains.errors import DomainError
from domains.worlds import DomainModel
from meta_learner.rollout import BlockState, BlockSteps
from orchestrator.checking import check_finite


def check_laws(model: DomainModel, *, of_campaign: bool) -> None:
    """DomainError where the laws do not simulate, or are Python and do not keep to the rules.

    of_campaign: whether the rules are looked at, too, which is done once a campaign.
    """
    if model.simulator is not None and of_campaign:
        problems = check_domain(model.domain)
        if problems:
            raise DomainError(f"the Python laws do not keep to the rules: {problems[0]} (organon domain check)")
    report = check_finite(model.domain, model)
    for law in report["mechanisms"]:
        if not law["ok"]:
            raise DomainError(
                f"the law {law['mechanism']!r} gives values that are not finite for {law['broken']:.1%} of the "
                f"prior, for example at {law['example']}; mend the law, or narrow the priors or the designs"
            )


def check_budget(steps: BlockSteps, state: BlockState) -> None:
    """DomainError where the budget pays for nothing."""
    if not bool(steps.affords(state).any()):
        space = steps.model.space
        cheapest = space.cost(space.cheapest).item()
        raise DomainError(f"the budget of {steps.budget:g} pays for no experiment: the cheapest costs {cheapest:g}")

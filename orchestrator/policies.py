"""From the name of a policy, and of an agent's weights, to the policy itself."""

from functools import lru_cache

import torch

from domains.worlds import DomainModel
from meta_learner.agents.loading import load_policy
from meta_learner.agents.store import Store
from meta_learner.policies import POLICIES, Policy
from orchestrator.agents import agent_store
from orchestrator.settings import Settings


def open_policy(settings: Settings, name: str, weights: str | None, model: DomainModel) -> Policy:
    """A classical policy (weights None), or the agent of that name with the weights of that sha256, as a policy of a
    domain; AgentError where they are not here. Agents are kept for as long as the process lives."""
    if weights is None:
        return POLICIES[name]()
    return _agent(agent_store(settings), (name, weights), model, str(torch.get_default_device()))


@lru_cache(maxsize=8)
def _agent(store: Store, which: tuple[str, str], model: DomainModel, device: str) -> Policy:
    """which: name and sha256; the device is the default one, on which the network stays."""
    del device
    return load_policy(store.find(*which), model)

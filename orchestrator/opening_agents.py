"""Where the agents of imported campaigns lie. Torch-free."""

from meta_learner.agents.store import Store
from orchestrator.settings import Settings


def imported_agents(settings: Settings, campaign_id: str) -> Store:
    """The agent of an imported campaign: beside one's own, never among them."""
    folder = settings.folder / "imported" / campaign_id
    return Store(folder, shipped=folder)

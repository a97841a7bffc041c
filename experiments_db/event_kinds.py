"""The kinds of events. Whoever records something of another kind names it here first, in one line of its own module:

>>> CORRECTED = kind("result corrected", "a result took the place of another; both are kept")
"""

from experiments_db.errors import RecordError

_KINDS: dict[str, str] = {}


def kind(name: str, meaning: str) -> str:
    """Make a kind known; returns its name. RecordError where the name is taken."""
    if name in _KINDS:
        raise RecordError(f"There is a kind of events '{name}' already ({_KINDS[name]}): choose another name.")
    _KINDS[name] = meaning
    return name


def known_kinds() -> dict[str, str]:
    """Every kind with its meaning."""
    return dict(_KINDS)


def check_kind(name: str) -> None:
    """RecordError unless the kind is known."""
    if name not in _KINDS:
        raise RecordError(
            f"There is no kind of events '{name}'; there are {', '.join(sorted(_KINDS))}: name a new one by "
            "experiments_db.event_kinds.kind, or use the Organon that the event comes from."
        )


# In a campaign's own chain.
CREATED = kind("campaign created", "what was asked for: domain, policy, laboratory, runs, budget, seed, settings")
GIVEN = kind("measurements given", "the experiments made before, which every run starts from")
STARTED = kind("campaign started", "a worker took the first of its blocks")
PAUSED = kind("campaign paused", "by whom, and why")
CAPPED = kind("campaign paused at its cap", "the reason: it goes on once it is extended")
RESUMED = kind("campaign resumed", "by whom, and why")
CANCELLED = kind("campaign cancelled", "by whom, and why")
FAILED = kind("campaign failed", "the reason")
FINISHED = kind("campaign finished", "every block has ended")
RETRIED = kind("campaign retried", "it had failed and goes on from what is recorded: by whom, and why")
EXTENDED = kind("campaign extended", "further runs or other caps: by whom, and why")
IMPORTED = kind("campaign imported", "it came in an archive from another installation, and never runs here")
LOG_BEGUN = kind("log begun", "the campaign is older than the log: what was recorded before is not in it")
# In the chain of a block.
TRUTHS = kind("truths recorded", "the world of each run, as digests")
STEP = kind("step recorded", "an experiment for each run that went on")
BLOCK_ENDED = kind("block ended", "every run of the block has ended: its steps and cost")
# In either: of a run in its block's, of the campaign in its own.
FINDING = kind("finding recorded", "what a run or the campaign concludes, as digests")
# In the installation's chain.
FORGOTTEN = kind("campaign forgotten", "its rows were deleted; what is left of it is this event and its archive")
RETURNED = kind("campaign returned", "a forgotten campaign was brought back from its archive")

"""Errors of the orchestrator, and the tuple of all errors that people can mend."""

from domains.errors import DomainError
from experiments_db.errors import RecordError


class OrganonError(Exception):
    """Something the user can mend; the message names the thing, the rule, what was found and the way out."""


class BrokerError(OrganonError):
    """The broker (the queue between commands and workers) cannot be reached or started."""


class RequestError(OrganonError):
    """A request that cannot be carried out as it was made."""


class StateError(RequestError):
    """A request that was in order, and that what it is about does not allow in its present state."""


class UnknownHolderError(OrganonError):
    """No token, or one that opens nothing."""


class ForbiddenError(OrganonError):
    """A token whose role does not allow what was asked."""


# The domain layer and the record know nothing of each other or of us, so each has its own root.
EXPECTED = (OrganonError, DomainError, RecordError)

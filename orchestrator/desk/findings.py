"""Judging findings."""

from dataclasses import dataclass
from datetime import datetime

from experiments_db.database import Database
from experiments_db.desk_models import VERDICTS, Judgement
from experiments_db.judgements import finding_of, judge
from orchestrator.desk.base import Desk
from orchestrator.errors import RequestError
from orchestrator.finding_names import read_name

_LONGEST_REASON = 10_000
_LONGEST_NAME = 200


@dataclass(frozen=True)
class FindingsDesk(Desk):
    """What somebody says of findings, in their name, with a reason; kept in the log of the finding's campaign."""

    def judge(self, name: str, verdict: str, reason: str, by: str = "", *, seen: datetime | None = None) -> None:
        """Accept, reject or annotate a finding (``CAMPAIGN`` or ``CAMPAIGN.RUN``).

        by: who judges, where several people share one token; that holder's name is kept beside it.
        seen: when the finding was drawn that they looked at: another one since is not judged unread.

        Raises:
            ForbiddenError: they may only look.
            RequestError: another verdict, no reason, or too long a one; the finding was drawn anew since it was seen.
            NotFoundError: no such finding.
        """
        self.acting()
        person, holder = by.strip(), self.who.name
        who = holder if person in ("", holder) else f"{person} ({holder})"
        _check(verdict, reason, who)
        campaign_id, run = read_name(self.database, name)
        said = Judgement(campaign_id=campaign_id, run_index=run, verdict=verdict, by=who, reason=reason.strip())
        _record(self.database, said, seen)


def _record(database: Database, said: Judgement, seen: datetime | None) -> None:
    with database.write() as session:
        judge(session, said)  # takes the campaign's lock: from here on no other finding is drawn
        if seen is not None and finding_of(session, said.campaign_id, said.run_index).created_at != seen:
            raise RequestError(
                "the finding was drawn anew while you looked at it: read what it says now, then judge it"
            )


def _check(verdict: str, reason: str, by: str) -> None:
    if verdict not in VERDICTS:
        raise RequestError(f"{verdict!r} is no verdict on a finding; they are {', '.join(VERDICTS)}")
    if not reason.strip():
        raise RequestError("a judgement needs its reason: who reads it later wants to know why; write it beside it")
    if len(reason) > _LONGEST_REASON or not reason.replace("\n", " ").replace("\t", " ").isprintable():
        raise RequestError(f"a reason is at most {_LONGEST_REASON:,} printable characters; found {len(reason):,}")
    if len(by) > _LONGEST_NAME or not by.isprintable():
        raise RequestError(
            f"a name, with that of the token, is at most {_LONGEST_NAME} printable characters; found {len(by)}"
        )

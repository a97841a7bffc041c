"""The event log, which the database itself keeps append-only, and where an imported campaign came from."""

import hashlib
import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_REFUSED = "the event log is append-only: an event is neither changed nor deleted"

# The last that the installation's chain says of the campaign is that it was forgotten: then its events may go.
_FORGOTTEN = """EXISTS (
    SELECT 1 FROM event AS last WHERE last.campaign_id = OLD.campaign_id AND last.chain = 'retention'
    AND last.kind = 'campaign forgotten' AND OLD.chain <> 'retention'
    AND NOT EXISTS (
        SELECT 1 FROM event AS later WHERE later.campaign_id = OLD.campaign_id AND later.chain = 'retention'
        AND later."index" > last."index"))"""

_SQLITE = (
    f"CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    f"CREATE TRIGGER event_no_delete BEFORE DELETE ON event WHEN NOT {_FORGOTTEN} "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    # INSERT OR REPLACE deletes without asking the trigger above; what is there stays, and the caller sees no new row.
    "CREATE TRIGGER event_no_replace BEFORE INSERT ON event WHEN EXISTS (SELECT 1 FROM event WHERE id = NEW.id "
    'OR (chain = NEW.chain AND "index" = NEW."index")) BEGIN SELECT RAISE(IGNORE); END',
)
_POSTGRES = (
    f"""CREATE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' THEN IF {_FORGOTTEN} THEN RETURN OLD; END IF; END IF;
    RAISE EXCEPTION '{_REFUSED}'; END $$""",
    "CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON event "
    "FOR EACH ROW EXECUTE FUNCTION event_append_only()",
    "CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION event_append_only()",
)


def upgrade() -> None:
    """Add `event` with its triggers, `campaign.imported`, and for each campaign on record that its log begins here."""
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sa.UniqueConstraint("chain", "index", name="uq_event_chain_index"),
    )
    op.create_index("ix_event_campaign_id", "event", ["campaign_id"], unique=False)
    op.add_column("campaign", sa.Column("imported", sa.JSON(), nullable=True))
    _begin_logs()
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    """Drop them; the log is lost."""
    op.drop_table("event")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION event_append_only()")
    with op.batch_alter_table("campaign") as campaign:
        campaign.drop_column("imported")


def _begin_logs() -> None:
    """One event for each campaign on record: its status, and how many steps of each block are older than the log."""
    connection = op.get_bind()
    listed = "SELECT id, status, message, started_at IS NOT NULL FROM campaign ORDER BY id"
    for campaign, status, message, started in connection.execute(sa.text(listed)).all():
        query = sa.text('SELECT step, status FROM block WHERE campaign_id = :campaign ORDER BY "index"')
        blocks = [list(row) for row in connection.execute(query, {"campaign": campaign})]
        content = json.dumps(
            {"blocks": blocks, "message": message, "started": bool(started), "status": status},
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        )
        first = hashlib.sha256(f"organon/event/1/{campaign}".encode()).hexdigest()
        event = sa.table("event", *map(sa.column, ("chain", "index", "campaign_id", "kind", "content", "hash")),
                         sa.column("created_at", sa.DateTime(timezone=True)))  # fmt: skip
        connection.execute(
            event.insert().values(
                chain=campaign,
                index=0,
                campaign_id=campaign,
                kind="log begun",
                content=content,
                hash=hashlib.sha256(f"{first}\n0\nlog begun\n{content}".encode()).hexdigest(),
                created_at=datetime.now(UTC),
            )
        )

"""What people do at the desk: judgements of findings, jobs, task distributions, saved queries; and workers' history."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "judgement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("run_index", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("verdict IN ('accepted', 'rejected', 'noted')", name="verdict"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_judgement_campaign_id_campaign"),
        sa.PrimaryKeyConstraint("id", name="pk_judgement"),
    )
    op.create_index("ix_judgement_campaign_id", "judgement", ["campaign_id"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("saying", sa.String(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('waiting', 'running', 'finished', 'failed', 'cancelled')", name="status"),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
    )
    op.create_index("ix_job_key", "job", ["key"], unique=False)
    op.create_index("ix_job_status_created_at", "job", ["status", "created_at"], unique=False)
    op.create_table(
        "taskdistribution",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_taskdistribution"),
        sa.UniqueConstraint("name", "version", name="uq_taskdistribution_name_version"),
    )
    op.create_table(
        "savedquery",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_savedquery"),
    )
    op.create_table(
        "workerevent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("processes", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('started', 'stopped', 'died')", name="kind"),
        sa.PrimaryKeyConstraint("id", name="pk_workerevent"),
    )
    op.create_index("ix_workerevent_created_at", "workerevent", ["created_at"], unique=False)
    op.create_index("ix_campaign_policy_created_at", "campaign", ["policy", "created_at"], unique=False)
    for table in ("experiment", "finding"):  # newest first, and by day
        op.create_index(f"ix_{table}_created_at", table, ["created_at"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_campaign_policy_created_at", "campaign")
    for table in ("experiment", "finding"):
        op.drop_index(f"ix_{table}_created_at", table)
    for table in ("workerevent", "savedquery", "taskdistribution", "job", "judgement"):
        op.drop_table(table)

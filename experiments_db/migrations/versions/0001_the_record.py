"""The record: domains, campaigns, blocks, runs, experiments and findings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create all tables."""
    _create_domain()
    _create_campaign()
    _create_block()
    _create_run()
    _create_experiment()
    _create_finding()


def downgrade() -> None:
    """Drop all tables."""
    for table in ("finding", "experiment", "run", "block", "campaign", "domain"):
        op.drop_table(table)


def _create_domain() -> None:
    op.create_table(
        "domain",
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("attachments", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("identity", name="pk_domain"),
    )
    op.create_index("ix_domain_name", "domain", ["name"], unique=False)


def _create_campaign() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("domain_identity", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("laboratory", sa.String(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("budget", sa.Float(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('scheduled', 'running', 'paused', 'finished', 'failed', 'cancelled')",
            name=op.f("ck_campaign_status"),
        ),
        sa.ForeignKeyConstraint(["domain_identity"], ["domain.identity"], name="fk_campaign_domain_identity_domain"),
        sa.PrimaryKeyConstraint("id", name="pk_campaign"),
    )
    op.create_index("ix_campaign_created_at", "campaign", ["created_at"], unique=False)
    op.create_index("ix_campaign_domain_identity", "campaign", ["domain_identity"], unique=False)
    op.create_index("ix_campaign_status_created_at", "campaign", ["status", "created_at"], unique=False)


def _create_block() -> None:
    op.create_table(
        "block",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("first_run", sa.Integer(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('scheduled', 'running', 'finished', 'failed', 'cancelled')", name=op.f("ck_block_status")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_block_campaign_id_campaign"),
        sa.PrimaryKeyConstraint("id", name="pk_block"),
        sa.UniqueConstraint("campaign_id", "index", name="uq_block_campaign_id_index"),
    )
    op.create_index("ix_block_status", "block", ["status"], unique=False)


def _create_run() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("block_id", sa.Integer(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("truth", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "status IN ('scheduled', 'running', 'finished', 'failed', 'cancelled')", name=op.f("ck_run_status")
        ),
        sa.ForeignKeyConstraint(["block_id"], ["block.id"], name="fk_run_block_id_block"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_run_campaign_id_campaign"),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("campaign_id", "index", name="uq_run_campaign_id_index"),
    )
    op.create_index("ix_run_block_id", "run", ["block_id"], unique=False)


def _create_experiment() -> None:
    op.create_table(
        "experiment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("design", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("information", sa.Float(), nullable=True),
        sa.Column("decision_ms", sa.Float(), nullable=False),
        sa.Column("belief", sa.JSON(), nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_experiment_run_id_run"),
        sa.PrimaryKeyConstraint("id", name="pk_experiment"),
        sa.UniqueConstraint("run_id", "step", name="uq_experiment_run_id_step"),
    )


def _create_finding() -> None:
    op.create_table(
        "finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_finding_campaign_id_campaign"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_finding_run_id_run"),
        sa.PrimaryKeyConstraint("id", name="pk_finding"),
        sa.UniqueConstraint("campaign_id", "run_id", name="uq_finding_campaign_id_run_id"),
    )
    op.create_index("ix_finding_run_id", "finding", ["run_id"], unique=False)
    op.create_index(
        "uq_finding_of_campaign",
        "finding",
        ["campaign_id"],
        unique=True,
        sqlite_where=sa.text("run_id IS NULL"),
        postgresql_where=sa.text("run_id IS NULL"),
    )

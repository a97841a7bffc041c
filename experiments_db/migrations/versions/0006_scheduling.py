"""Scheduling and survival: priorities, start times, caps, recurrences, and blocks whose worker died."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CAMPAIGN = ("priority", "served", "start_at", "max_experiments", "max_cost")
_BLOCK = ("attempts", "retry_at", "fault")
_USED_SO_FAR = {
    "sqlite": (
        "INSERT INTO usage (block_id, day, experiments, cost) "
        "SELECT run.block_id, substr(experiment.created_at, 1, 10), count(*), sum(experiment.cost) "
        "FROM experiment JOIN run ON run.id = experiment.run_id WHERE NOT experiment.given GROUP BY 1, 2"
    ),
    "postgresql": (
        "INSERT INTO usage (block_id, day, experiments, cost) "
        "SELECT run.block_id, to_char(experiment.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), count(*), "
        "sum(experiment.cost) "
        "FROM experiment JOIN run ON run.id = experiment.run_id WHERE NOT experiment.given GROUP BY 1, 2"
    ),
}


def upgrade() -> None:
    """Add the columns and the tables `usage` (filled from what is on record), `cap` and `recurrence`."""
    op.add_column("campaign", sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("campaign", sa.Column("served", sa.Float(), server_default=sa.text("0"), nullable=False))
    op.add_column("campaign", sa.Column("start_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("campaign", sa.Column("max_experiments", sa.Integer(), nullable=True))
    op.add_column("campaign", sa.Column("max_cost", sa.Float(), nullable=True))
    op.add_column("block", sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("block", sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("block", sa.Column("fault", sa.String(), server_default="", nullable=False))
    op.create_table(
        "usage",
        sa.Column("block_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("experiments", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["block_id"], ["block.id"], name="fk_usage_block_id_block"),
        sa.PrimaryKeyConstraint("block_id", "day", name="pk_usage"),
    )
    op.create_index("ix_usage_day", "usage", ["day"], unique=False)
    op.create_table(
        "cap",
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("max_experiments", sa.Integer(), nullable=True),
        sa.Column("max_cost", sa.Float(), nullable=True),
        sa.CheckConstraint("period IN ('day', 'total')", name="period"),
        sa.PrimaryKeyConstraint("agent", "period", name="pk_cap"),
    )
    op.create_table(
        "recurrence",
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("every_seconds", sa.Float(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_recurrence_campaign_id_campaign"),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_recurrence"),
    )
    op.create_index("ix_recurrence_next_at", "recurrence", ["next_at"], unique=False)
    op.execute(_USED_SO_FAR[op.get_bind().dialect.name])


def downgrade() -> None:
    """Drop them."""
    for table in ("recurrence", "cap", "usage"):
        op.drop_table(table)
    for table, columns in (("block", _BLOCK), ("campaign", _CAMPAIGN)):
        with op.batch_alter_table(table) as altered:
            for column in columns:
                altered.drop_column(column)

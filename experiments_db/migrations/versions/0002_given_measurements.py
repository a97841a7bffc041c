"""Experiments that were made before a campaign, and the table they came from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `experiment.given`, false for all that is on record, and the table `measurements`."""
    op.add_column("experiment", sa.Column("given", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "measurements",
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_measurements_campaign_id_campaign"),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_measurements"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("measurements")
    with op.batch_alter_table("experiment") as experiment:
        experiment.drop_column("given")

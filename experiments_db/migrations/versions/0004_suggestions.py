"""Experiments that somebody answers later, what is said of results afterwards, and tokens of the HTTP interface."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Add `block.waiting` and `block.wakes`, and the tables `suggestion`, `revision` and `token`."""
    op.add_column("block", sa.Column("waiting", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("block", sa.Column("wakes", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "suggestion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("revised", sa.Integer(), nullable=False),
        sa.Column("design", sa.JSON(), nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("decision_ms", sa.Float(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        _moment("created_at", nullable=False),
        _moment("due_at"),
        sa.Column("decided_by", sa.String(), nullable=True),
        _moment("decided_at"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("taken_by", sa.String(), nullable=True),
        _moment("taken_at"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("used", sa.JSON(), nullable=True),
        sa.Column("outcome", sa.JSON(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=True),
        _moment("answered_at"),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.CheckConstraint("status IN ('proposed', 'open', 'answered', 'recorded', 'rejected')", name="status"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_suggestion_run_id_run"),
        sa.PrimaryKeyConstraint("id", name="pk_suggestion"),
        sa.UniqueConstraint("run_id", "number", name="uq_suggestion_run_id_number"),
    )
    op.create_index("ix_suggestion_status", "suggestion", ["status"], unique=False)
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("suggestion_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("design", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _moment("created_at", nullable=False),
        sa.Column("superseded", sa.JSON(), nullable=False),
        _moment("applied_at"),
        sa.Column("known", sa.Integer(), nullable=True),
        sa.Column("belief", sa.JSON(), nullable=True),
        sa.CheckConstraint("kind IN ('corrected', 'withdrawn')", name="kind"),
        sa.ForeignKeyConstraint(["suggestion_id"], ["suggestion.id"], name="fk_revision_suggestion_id_suggestion"),
        sa.PrimaryKeyConstraint("id", name="pk_revision"),
    )
    op.create_index("ix_revision_suggestion_id", "revision", ["suggestion_id"], unique=False)
    op.create_table(
        "token",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        _moment("created_at", nullable=False),
        _moment("revoked_at"),
        sa.CheckConstraint("role IN ('viewer', 'operator')", name="role"),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("token", "revision", "suggestion"):
        op.drop_table(table)
    with op.batch_alter_table("block") as block:
        block.drop_column("wakes")
        block.drop_column("waiting")

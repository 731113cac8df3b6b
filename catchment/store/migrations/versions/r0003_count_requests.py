"""Count the requests of each token over all processes."""

import sqlalchemy as sa
from alembic import op

from catchment.store.migrations.versions.r0001_lay_the_tables import _ID

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rates",
        sa.Column("token_id", _ID, nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name="fk_rates_token_id"),
        sa.PrimaryKeyConstraint("token_id", name="pk_rates"),
    )

"""Map principals to whom the access lists of sources name; keep secrets of the API's own, sealed."""

import sqlalchemy as sa
from alembic import op

from catchment.store.migrations.versions.r0001_lay_the_tables import _ID, _NAME

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subjects",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("principal_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("subject", _NAME, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_subjects_tenant_id"),
        sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], name="fk_subjects_principal_id"),
        sa.PrimaryKeyConstraint("tenant_id", "principal_id", "kind", "subject", name="pk_subjects"),
    )
    op.create_table(
        "sealed",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_sealed"),
    )

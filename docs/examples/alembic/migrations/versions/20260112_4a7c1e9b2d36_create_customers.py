"""create customers

Revision ID: 4a7c1e9b2d36
Revises:
Create Date: 2026-01-12 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "4a7c1e9b2d36"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "customers",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="customers_pkey"),
        sa.UniqueConstraint("email", name="customers_email_key"),
    )


def downgrade():
    op.drop_table("customers")

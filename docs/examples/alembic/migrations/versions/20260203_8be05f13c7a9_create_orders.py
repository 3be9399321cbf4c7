"""create orders

Revision ID: 8be05f13c7a9
Revises: 4a7c1e9b2d36
Create Date: 2026-02-03 14:05:00
"""

import sqlalchemy as sa
from alembic import op

revision = "8be05f13c7a9"
down_revision = "4a7c1e9b2d36"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("customer_id", sa.Integer, nullable=False),
        sa.Column("total", sa.Numeric(12, 2), nullable=False),
        sa.PrimaryKeyConstraint("id", name="orders_pkey"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name="orders_customer_id_fkey", ondelete="CASCADE"
        ),
        sa.CheckConstraint("total >= 0", name="orders_total_check"),
    )
    op.create_index("orders_customer_id_idx", "orders", ["customer_id"])


def downgrade():
    op.drop_table("orders")

"""give orders a status

Revision ID: d2915c60ab48
Revises: 8be05f13c7a9
Create Date: 2026-03-10 08:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "d2915c60ab48"
down_revision = "8be05f13c7a9"
branch_labels = None
depends_on = None

status = sa.Enum("open", "paid", "shipped", name="order_status")


def upgrade():
    status.create(op.get_bind())
    op.add_column("orders", sa.Column("status", status, server_default="open", nullable=False))
    op.add_column("orders", sa.Column("note", sa.String, nullable=True))
    op.execute("UPDATE orders SET status = 'paid' WHERE total = 0")


def downgrade():
    op.drop_column("orders", "note")
    op.drop_column("orders", "status")
    status.drop(op.get_bind())

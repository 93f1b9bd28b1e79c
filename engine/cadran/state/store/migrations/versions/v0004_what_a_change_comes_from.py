"""Alerts remember what their messages say of a change, so that one that is held back says the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("alert") as alert:
        alert.add_column(sa.Column("previous", sa.String(80), nullable=True))
        alert.add_column(sa.Column("because", sa.Text(), nullable=True))
    op.execute(sa.update(sa.table("alert", sa.column("because"))).values(because=""))
    with op.batch_alter_table("alert") as alert:
        alert.alter_column("because", existing_type=sa.Text(), nullable=False)

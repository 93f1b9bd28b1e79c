"""Alerts remember the newest periods that they judged, and for which stretch they fire."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("alert") as alert:
        alert.add_column(sa.Column("fired", sa.String(40), nullable=True))
        alert.add_column(sa.Column("trail", sa.Text(), nullable=True))
        alert.alter_column("changed", existing_type=sa.String(27), nullable=True)
    _fill()
    with op.batch_alter_table("alert") as alert:
        alert.alter_column("fired", existing_type=sa.String(40), nullable=False)
        alert.alter_column("trail", existing_type=sa.Text(), nullable=False)


def _fill() -> None:
    """One that fires does so since its stretch began."""
    alert = sa.table("alert", *(sa.column(name) for name in ("state", "since", "fired", "trail")))
    fired = sa.case((alert.c.state == "firing", alert.c.since), else_="")
    op.execute(sa.update(alert).values(fired=fired, trail="[]"))

"""An observation says until when it was the newest, so that what was known at a time is found without its successors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KEY = ("kpi", "grain", "period", "segment", "segment_value")


def upgrade() -> None:
    op.add_column("observation", sa.Column("until", sa.String(27), nullable=True))
    _fill()
    op.drop_index("ix_observation_known", "observation")
    op.create_index("ix_observation_until", "observation", ["kpi", "until"])


def _fill() -> None:
    """Each revision held until the run that saw the next one."""
    columns: list[sa.ColumnClause[str]] = [sa.column(name) for name in (*_KEY, "revision", "known", "until")]
    observation = sa.table("observation", *columns)
    later = observation.alias("later")
    same = [later.c[name] == observation.c[name] for name in _KEY]
    known = sa.select(later.c.known).where(*same, later.c.revision == observation.c.revision + 1)
    op.execute(sa.update(observation).values(until=known.scalar_subquery()))

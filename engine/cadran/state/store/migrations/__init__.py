"""Alembic's environment and the versions of the store's tables; :mod:`cadran.state.store.migrate` runs them."""

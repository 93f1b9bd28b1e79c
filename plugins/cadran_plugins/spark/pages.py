"""Batches of an answer as pages: held to their columns' types, with the column named where a value does not fit."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from cadran.plugins import DataError, listed
from cadran_plugins.spark.types import Field
from cadran_plugins.sql.columns import Unfit, arrow_type
from cadran_plugins.sql.names import same_but_for_capitals

_OWN = "with a SELECT of your own under 'tables:' ('sql:')"


def usable(fields: Sequence[Field], subject: str) -> None:
    """Raises DataError where columns cannot be told apart, or are of a type that nothing is computed with."""
    names = [f.name for f in fields]
    if two := same_but_for_capitals(names):
        both = f"two columns are named '{two[0]}'" if two[0] == two[1] else f"columns '{two[0]}' and '{two[1]}' differ only in capitals"  # fmt: skip
        raise DataError(f"{subject}: {both}", hint=f"name them {_OWN}; its columns are {listed(names)}")
    for field in fields:
        if field.read is None:
            hint = f"take from it what you need {_OWN}, such as explode(…), size(…) or a field"
            raise DataError(f"{subject}: column '{field.name}' is of type {field.what}, which cadran does not compute with", hint=hint)  # fmt: skip


def page(batch: pa.Table, fields: Sequence[Field], subject: str) -> pa.Table:
    arrays = []
    for field, values in zip(fields, batch.columns, strict=True):
        assert field.read is not None
        try:
            arrays.append(field.read(values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)))
        except Unfit as unfit:
            hint = unfit.hint or f"correct it, or convert it {_OWN}"
            message = f"{subject}: column '{field.name}' holds '{unfit.value}', which {unfit.why}"
            raise DataError(message, hint=hint) from None
    return pa.Table.from_arrays(arrays, names=[f.name for f in fields])


def empty(fields: Sequence[Field]) -> pa.Table:
    return pa.Table.from_arrays([pa.array([], arrow_type(f.type)) for f in fields], names=[f.name for f in fields])  # fmt: skip

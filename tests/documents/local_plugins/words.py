"""What the documents name: one function and one block."""

from __future__ import annotations

from cadran.plugins import Block, BlockEntry, Function, FunctionEntry, hookimpl


@hookimpl
def cadran_functions() -> list[FunctionEntry]:
    return [
        FunctionEntry("net", lambda: Function("net(x)", ("number",), "number", sql={"duckdb": "{0} / 1.2"}))
    ]


@hookimpl
def cadran_blocks() -> list[BlockEntry]:
    return [BlockEntry("podium", lambda: Block({"html": "<p></p>"}))]

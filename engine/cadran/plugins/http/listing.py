"""Answers that list records: of these only what is wanted is read, column by column."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from types import GenericAlias
from typing import Any, cast

from cadran.plugins.connector import DataError

#: Where a record holds something: a key, or keys of objects within one another.
Path = str | tuple[str, ...]
#: Records that are turned into columns at a time: few lie in the processor's cache, and are not seen by Python's garbage collector.
_AT_ONCE = 100
_FEW = 30  # keys that are looked for one by one, and are found soon
_Tree = dict[str, "_Tree | None"]


@dataclass(frozen=True, slots=True)
class Listed:
    """``columns``: what the records hold at each path of the :class:`Listing`, None where that is nothing. ``beside``: what the answer
    says under the other names; those that it does not say are missing, so look with ``.get``."""

    columns: Sequence[Sequence[Any]]
    count: int
    beside: Mapping[str, Any]


class Listing:
    """How an answer lists records: ``paths`` are what is wanted of each, ``at`` is the key that the list stands under, empty where the
    answer is the list itself, ``beside`` names what is wanted of the answer's other keys.

    Values are those of :meth:`Answer.json`, None where a record lacks the key, or something above it is empty. A record that has a text, a
    number or a list where a path goes on is a :class:`~cadran.plugins.connector.DataError` that names both. Of lists that stand at one of ``firsts``, which are among the paths, the first item, and None
    of empty ones.

    The first answer is read as any, and tells in which order records hold their keys. Those that follow are read straight into objects of
    this order, which takes half the time, and in which a key that is where it was before is found at once.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        at: str = "",
        beside: Sequence[str] = (),
        firsts: Collection[Path] = (),
    ) -> None:
        _check(paths, at, beside, firsts)
        self.paths = tuple(map(_keys, paths))
        self.at, self.beside, self._firsts = at, tuple(beside), frozenset(map(_keys, firsts))
        if strange := self._firsts - set(self.paths):
            raise ValueError(f"'firsts' names {sorted(strange)[0]}, which is none of the paths")
        self._decode: Callable[[bytes], Any] | None = None
        self._tree: _Tree = {}
        for path in self.paths:
            inner = self._tree
            for key in path[:-1]:
                below = inner.setdefault(key, {})
                if below is None:
                    raise ValueError(f"{path} lies within something that is wanted as a whole")
                inner = below
            if inner.setdefault(path[-1], None) is not None:
                raise ValueError(f"of {path} parts are wanted, and the whole")

    def typed(self, content: bytes) -> Listed | None:
        """Read at once; None for an answer that has to be looked at closer."""
        import msgspec

        if self._decode is None:
            return None
        try:
            found = self._decode(content)
        except (ValueError, ArithmeticError, RecursionError):
            return None
        rows = found.list if self.at else found
        said = zip(self.beside, msgspec.structs.astuple(found)[1:], strict=True) if self.at else ()
        beside = {name: value for name, value in said if value is not msgspec.UNSET}
        return Listed(self._picked(rows, msgspec.structs.astuple), len(rows), beside)

    def plain(self, value: Any) -> Listed | None:
        """Of a value that is read already; None where it lists no records. Raises DataError where a record has no object at a path."""
        rows, beside = value, {}
        if self.at:
            if not isinstance(value, dict):
                return None
            rows, beside = value.get(self.at), {name: value[name] for name in self.beside if name in value}
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return None
        shaped = [_shaped(row, self._tree, (), number) for number, row in enumerate(rows, 1)]
        found = Listed(self._picked(shaped, lambda row: row), len(rows), beside)
        if self._decode is None and rows:
            self._learn(rows)
        return found

    def _picked(self, rows: Sequence[Any], parts: Callable[[Any], tuple[Any, ...]]) -> list[Sequence[Any]]:
        found = dict(_columns(rows, self._tree, parts, ()))
        for path in self._firsts:
            head = _head()
            found[path] = [
                value.first if type(value) is head else (value or [None])[0] if type(value) is list else value
                for value in found[path]
            ]
        return [found[path] for path in self.paths]

    def _learn(self, rows: Sequence[Mapping[str, Any]]) -> None:
        try:
            self._decode = self._decoder(_ordered(self._tree, rows[:_AT_ONCE]))
        except ValueError:  # the order varies, or a key has signs that msgspec does not take
            self._decode = _refuse

    def _decoder(self, tree: _Tree) -> Callable[[bytes], Any]:
        import msgspec

        kind: Any = GenericAlias(list, _struct(tree, self._firsts))
        if self.at:
            said = [(f"said_{n}", Any, msgspec.UNSET) for n in range(len(self.beside))]
            names = {"list": self.at, **{f"said_{n}": name for n, name in enumerate(self.beside)}}
            kind = msgspec.defstruct("Answer", [("list", kind), *said], rename=names)
        self._tree = tree
        return msgspec.json.Decoder(kind, float_hook=Decimal).decode


def _refuse(_: bytes) -> Any:
    raise ValueError("has to be looked at closer")


def _ordered(tree: _Tree, rows: Sequence[Mapping[str, Any]]) -> _Tree:
    """The same keys, in the order of the records that hold most of them. Raises ValueError where there are many, and others hold them
    in another: each would be looked for among all."""
    longest = max(rows, key=len, default={})
    place = {key: number for number, key in enumerate(key for key in longest if key in tree)}
    for row in rows if len(tree) > _FEW else ():
        found = [place[key] for key in row if key in place]
        if found != sorted(found):
            raise ValueError("the order varies")
    out: _Tree = {}
    for key in sorted(tree, key=lambda key: place.get(key, len(place))):
        below = tree[key]
        inner = [row[key] for row in rows if isinstance(row.get(key), dict)]
        out[key] = None if below is None else _ordered(below, inner)
    return out


def _keys(path: Path) -> tuple[str, ...]:
    return (path,) if isinstance(path, str) else tuple(path)


def _struct(tree: _Tree, firsts: Collection[tuple[str, ...]], above: tuple[str, ...] = ()) -> Any:
    """The type of an object with these keys. None of them has to be there."""
    import msgspec

    names = {f"field_{number}": key for number, key in enumerate(tree)}
    fields = []
    for name, (key, below) in zip(names, tree.items(), strict=True):
        path = (*above, key)
        if below is not None:
            kind = _struct(below, firsts, path) | None
        else:
            kind = _head() | bool | int | str | None if path in firsts else Any
        fields.append((name, kind, None))
    return msgspec.defstruct("Record", fields, rename=names, gc=False)  # JSON has no circles


@cache
def _head() -> Any:
    """The type of a list of which the first item counts: thousands of lists keep Python's garbage collector busy."""
    import msgspec

    return msgspec.defstruct("Head", [("first", Any, None)], array_like=True, gc=False)


def _check(paths: object, at: object, beside: object, firsts: object) -> None:
    """Raises TypeError and ValueError, in words: a text is a sequence of texts, too."""
    if isinstance(paths, str):
        raise TypeError(f"'paths' is {paths!r}: give a list of paths, [{paths!r}]")
    if not isinstance(at, str):
        raise TypeError(
            f"'at' is {at!r}: it names one key of the answer; for a list that lies deeper take answer.json()"
        )
    for name, given in (("beside", beside), ("firsts", firsts)):
        if isinstance(given, str):
            raise TypeError(f"{name!r} is {given!r}: give a list, [{given!r}]")
    if strange := [key for key in cast("Sequence[object]", beside) if not isinstance(key, str)]:
        raise TypeError(
            f"'beside' has {strange[0]!r}: give keys of the answer itself; each comes with all that lies under it"
        )
    if beside and not at:
        raise ValueError("where the answer is the list itself (no 'at'), nothing stands beside it")


def _shaped(row: Mapping[str, Any], tree: _Tree, above: tuple[str, ...], number: int) -> tuple[Any, ...]:
    """The values as an object of :func:`_struct` has them. Raises DataError for what is no object where one has to be."""
    out: list[Any] = []
    for key, below in tree.items():
        value = row.get(key)
        if below is not None:
            if value and not isinstance(value, dict):
                raise _no_object((*above, key), below, value, number)
            value = _shaped(value, below, (*above, key), number) if value else None
        out.append(value)
    return tuple(out)


def _no_object(path: tuple[str, ...], below: _Tree, value: object, number: int) -> DataError:
    """None would pass for a value that is not there. What stands there is not told: it may be anybody's."""
    kind = {str: "a text", list: "a list", bool: "true"}.get(type(value), "a number")
    at, inner = ".".join(path), ", ".join(below)
    return DataError(
        f"record {number} of the answer holds {kind} at '{at}', where an object with {inner} was expected",
        hint="if the API gives both, its connector has to take '" + at + "' as a whole",
    )


def _columns(
    rows: Sequence[Any], tree: _Tree, parts: Callable[[Any], tuple[Any, ...]], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Sequence[Any]]]:
    """Each path's values; ``parts`` takes an object apart."""
    nothing = (None,) * len(tree)
    some_missing = bool(above) and None in rows
    columns: list[list[Any]] = [[] for _ in tree]
    for start in range(0, len(rows), _AT_ONCE):
        few = rows[start : start + _AT_ONCE]
        split = (nothing if row is None else parts(row) for row in few) if some_missing else map(parts, few)
        for column, values in zip(columns, zip(*split, strict=True), strict=True):
            column += values
    for (key, below), column in zip(tree.items(), columns, strict=True):
        if below is None:
            yield (*above, key), column
        else:
            yield from _columns(column, below, parts, (*above, key))

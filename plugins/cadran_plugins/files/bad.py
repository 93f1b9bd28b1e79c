"""Records that are not as they should be: collected, then reported at once or set aside."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from cadran.plugins import DataError, Rejected

MOST = 20  # as many are told one by one


@dataclass(slots=True)
class BadRecords:
    """Places and reasons by (number of the file, line)."""

    keep_all: bool
    count: int = 0
    found: list[tuple[int, int, str, str]] = field(default_factory=list)  # file, line, place, reason

    def add(self, file: int, line: int, place: str, reason: str) -> None:
        self.count += 1
        if self.keep_all or len(self.found) < MOST:
            insort(self.found, (file, line, place, reason))
        elif (file, line) < self.found[-1][:2]:
            self.found.pop()
            insort(self.found, (file, line, place, reason))

    def rejected(self) -> Iterator[Rejected]:
        for _, _, place, reason in self.found:
            yield Rejected(place, reason)

    def error(self) -> DataError:
        """All of them as one error."""
        lines = [f"{place}: {reason}" for _, _, place, reason in self.found[:MOST]]
        if self.count > len(lines):
            lines.append(f"and {self.count - len(lines)} more; {self.count} bad records in all")
        hint = "correct the file, or set bad records aside with 'on_bad_row: quarantine'"
        return DataError(lines[0], hint=hint, more=lines[1:])

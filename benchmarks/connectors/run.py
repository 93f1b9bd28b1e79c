"""``python -m benchmarks.connectors.run [NAME…] [--pages 200] [--rounds 7]``: each case beside bare httpx, as a ratio.

The simulated API runs in a process of its own. Rounds of both follow each other, and medians are compared: of the time that passed, and of
the CPU time of the reading process, which says more where others use the machine too.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from benchmarks.connectors.cases import CASES, Case

AIM = 1.5


@contextmanager
def served(name: str, pages: int) -> Iterator[str]:
    """The address of a case's API in a child process, which ends with its standard input."""
    command = [sys.executable, "-m", "benchmarks.connectors.run", "--serve", name, "--pages", str(pages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None and child.stdout is not None
        try:
            yield child.stdout.readline().strip()
        finally:
            child.stdin.close()


def serve(name: str, pages: int) -> None:
    with CASES[name].serve(pages).serving() as simulator:
        print(simulator.url, flush=True)
        sys.stdin.read()


def timed(read: Callable[[str], int], url: str) -> tuple[int, float, float]:
    """How many rows, seconds that passed, seconds of CPU."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    rows = read(url)
    return rows, time.perf_counter() - wall, time.process_time() - cpu


def compared(case: Case, url: str, rounds: int) -> dict[str, float]:
    found: dict[str, list[tuple[int, float, float]]] = {"bare": [], "ours": []}
    for number in range(rounds + 1):
        for who, read in (("bare", case.bare), ("ours", case.ours)):
            got = timed(read, url)
            if number:  # the first round warms up
                found[who].append(got)
    rows = {got[0] for each in found.values() for got in each}
    assert len(rows) == 1, f"not all read the same rows: {rows}"
    bare, ours = ([median(got[place] for got in found[who]) for place in (1, 2)] for who in ("bare", "ours"))
    return {"rows": rows.pop(), "bare_s": bare[0], "ours_s": ours[0], "wall": ours[0] / bare[0], "cpu": ours[1] / bare[1]}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=list(CASES), help=", ".join(CASES))
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--profile", action="store_true", help="where the time of cadran goes")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.serve:
        return serve(given.serve, given.pages)
    for name in given.names:
        with served(name, given.pages) as url:
            if given.profile:
                cProfile.runctx("read(url)", {"read": CASES[name].ours, "url": url}, {}, sort="tottime")
                continue
            found = compared(CASES[name], url, given.rounds)
        if given.json:
            print(json.dumps({"name": name, **found}))
            continue
        over = "   OVER" if max(found["wall"], found["cpu"]) > AIM else ""
        print(
            f"{name:<12} {found['rows']:>7.0f} rows   httpx {found['bare_s'] * 1000:6.0f} ms   cadran {found['ours_s'] * 1000:6.0f} ms"
            f"   {found['wall']:.2f} x   CPU {found['cpu']:.2f} x   (aim {AIM} x){over}"
        )
    return None


if __name__ == "__main__":
    main()

"""A long answer as it streams: when its first row arrives, and what the web process holds meanwhile.

    python tests/bench/stream.py --rows 1000000

Serves a small publication and exports so many rows of a cross product as CSV, beside an export of a thousand rows.
Ends with 1 if the first row took longer than `--first-row-ms` (half of the times), or if the web process grew by more
than `--grown-mb`.
"""

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import serving
from conftest import PREFIXES, write_publication

QUERY = "SELECT ?a ?d { ?a ?b ?c . ?d ?e ?f } LIMIT "
THINGS = 1_000
HEADERS = {"accept": "text/csv", "accept-encoding": "identity"}


@dataclass(frozen=True)
class Export:
    """One export: rows, bytes, milliseconds to the first row and to the end, and MB that the web process grew by."""

    rows: int
    size: int
    first_row_ms: float
    whole_ms: float
    grown_mb: float


def web_process(site: serving.Site) -> int:
    """The one web worker of a site that has one: the child of the server that is no query worker."""
    tasks = Path(f"/proc/{site.process.pid}/task").glob("*/children")
    children = [pid for task in tasks for pid in task.read_text().split()]
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    found = [pid for pid, line in commands.items() if b"store.worker" not in line and b"resource_tracker" not in line]
    assert len(found) == 1, f"{len(found)} web workers"
    return int(found[0])


def peak_mb(pid: int) -> float:
    """The most memory that a process has held since `forget_peak` (proc(5), VmHWM)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def export(site: serving.Site, pid: int, rows: int) -> Export:
    """Export so many rows as CSV, read as they come and kept nowhere."""
    forget_peak(pid)
    before, lines, size, first = peak_mb(pid), 0, 0, 0.0
    started = time.perf_counter()
    parameters = {"query": f"{QUERY}{rows}"}
    with httpx.stream(
        "GET", f"{site.url}sparql", params=parameters, headers=HEADERS, trust_env=False, timeout=60
    ) as response:
        response.raise_for_status()
        for chunk in response.iter_raw():
            lines += chunk.count(b"\n")
            size += len(chunk)
            if lines > 1 and not first:
                first = time.perf_counter() - started
    assert lines == rows + 1, f"{lines} lines for {rows} rows"
    return Export(rows, size, first * 1000, (time.perf_counter() - started) * 1000, peak_mb(pid) - before)


def measure(folder: Path, rows: int) -> list[Export]:
    """Three short exports that warm up, the long one, and five of just the first rows again."""
    things = "\n".join(f"ex:thing-{n} a ex:Thing ; rdfs:label 'Thing {n}' ." for n in range(THINGS))
    write_publication(folder / "publication", {"data/things.ttl": PREFIXES + things})
    with serving.serve(folder / "publication", folder / "releases", "--workers", "1") as site:
        pid = web_process(site)
        for _ in range(3):
            export(site, pid, 1_000)
        return [export(site, pid, 1_000), export(site, pid, rows), *(export(site, pid, rows // 10) for _ in range(5))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--first-row-ms", type=float, default=float("inf"))
    parser.add_argument("--grown-mb", type=float, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        exports = measure(Path(folder), options.rows)
    print(f"{'rows':>10} {'MB':>8} {'first row ms':>13} {'whole ms':>10} {'grown MB':>9}")
    for one in exports:
        print(
            f"{one.rows:>10,} {one.size / 2**20:>8.1f} {one.first_row_ms:>13.1f} {one.whole_ms:>10.0f} "
            f"{one.grown_mb:>9.1f}"
        )
    first = statistics.median(one.first_row_ms for one in exports[1:])
    grown = max(one.grown_mb for one in exports)
    print(f"first row of a long answer, median: {first:.1f} ms; the web process grew by {grown:.1f} MB at most")
    sys.exit(first > options.first_row_ms or grown > options.grown_mb)


if __name__ == "__main__":
    main()

"""The worst queries that we can think of, from many clients at once, while two watchers measure what others notice.

    python tests/bench/worst_queries.py --seconds 60 --clients 16
    python tests/bench/worst_queries.py --url http://127.0.0.1:8000/ --page id/x --query "ASK { ... }"

Without `--url` it makes a publication, serves it with `tracktwo serve` and also measures processes and memory. Ends
with 1 if what the watchers asked was not answered in time, or if an answer was wrong. Loopback addresses of their own
(127.0.0.x) make the clients different ones.
"""

import argparse
import contextlib
import http.client
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

EX = "http://example.org/"
PREFIX = f"PREFIX ex: <{EX}> "
FORM = "application/x-www-form-urlencoded"
ADDRESSES = 8  # that the attacking clients share
WATCHERS = ("127.0.0.101", "127.0.0.102")
PAUSE_SECONDS = 0.05  # between two requests of a watcher
CALM_SECONDS = 3.0  # of watching before the attack, to compare with
UNREAD_SECONDS = 10.0  # that a client takes nothing of its answer
PATIENCE_SECONDS = 60  # of every client; longer than any deadline of ours
ALLOWED = {200, 400, 403, 413, 503, 504, 507}

TWO, THREE = "?a ?b ?c . ?d ?e ?f", "?a ?b ?c . ?d ?e ?f . ?g ?h ?i"


def growing(function: str, times: int) -> str:
    """A string that each of so many steps makes longer."""
    steps = "".join(f"BIND({function.format(f'?x{n}')} AS ?x{n + 1}) " for n in range(times))
    return f"SELECT (STRLEN(?x{times}) AS ?n) {{ BIND('0123456789' AS ?x0) {steps}}}"


#: Query texts by what is bad about them.
WORST: dict[str, str] = {
    "order a cross product": f"SELECT * {{ {THREE} }} ORDER BY ?i ?f ?c",
    "order by chance": f"SELECT * {{ {TWO} }} ORDER BY RAND()",
    "distinct of a cross product": f"SELECT DISTINCT ?a ?f ?h {{ {THREE} }}",
    "count a cross product": f"SELECT (COUNT(*) AS ?n) {{ {THREE} }}",
    "group a cross product": f"SELECT ?a ?f (COUNT(?h) AS ?n) {{ {THREE} }} GROUP BY ?a ?f",
    "concatenate a cross product": f"SELECT (GROUP_CONCAT(STR(?c)) AS ?x) {{ {TWO} }}",
    "stream a cross product": f"SELECT * {{ {THREE} }}",
    "construct a cross product": f"CONSTRUCT {{ ?a ?e ?i . ?d ?b ?c }} {{ {THREE} }}",
    "describe everything": "DESCRIBE * { ?s ?p ?o . ?x ?y ?z }",
    "regular expression, nested": f"SELECT * {{ {TWO} FILTER(REGEX(CONCAT(STR(?c), STR(?f)), '^([a-z]+.)+[A-Z]+$')) }}",
    "regular expression, counted": "SELECT * { ?s ?p ?o FILTER(REGEX(STR(?o), '((a{1,90}){1,90}){1,90}')) }",
    "path, all pairs": PREFIX + "SELECT (COUNT(*) AS ?n) { ?a (ex:next|^ex:next|ex:other)* ?b }",
    "path, any property": "SELECT (COUNT(*) AS ?n) { ?a (!<urn:no>|!^<urn:no>)+ ?b }",
    "path, stars in stars": PREFIX + "SELECT * { ?a ((((ex:next*)*)*)+)* ?b . ?b ((ex:other+)+)+ ?c }",
    "path, long": PREFIX + "SELECT (COUNT(*) AS ?n) { ?a " + "/".join(["(ex:next|ex:other)"] * 300) + " ?b }",
    "values, many": "SELECT * { VALUES ?x { "
    + " ".join(map(str, range(100_000)))
    + " } ?a ?b ?c . ?d ?e ?f } ORDER BY ?x",
    "text of a megabyte": "#" + "x" * 1_000_000 + f"\nSELECT * {{ {TWO} }} ORDER BY ?c ?f",
    "text over the limit": "#" + "x" * 1_100_000 + "\nASK {}",
    "a union of thousands": "SELECT * { " + " UNION ".join(f"{{ ?a ?b {n} }}" for n in range(20_000)) + " }",
    "nested groups": "SELECT * { " + "{ " * 20_000 + "}" * 20_000 + " }",
    "nested IF": "SELECT (" + "IF(true, " * 3_000 + "1" + ", 2)" * 3_000 + " AS ?x) {}",
    "nested brackets": "SELECT (" + "(" * 50_000 + "1" + ")" * 50_000 + " AS ?x) {}",
    "nested OPTIONAL": "SELECT * { ?a ?b ?c " + "OPTIONAL { ?c ?d ?e " * 400 + "}" * 400 + " }",
    "nested NOT EXISTS": "ASK { ?a ?b ?c FILTER NOT EXISTS { ?d ?e ?f FILTER NOT EXISTS { ?g ?h ?c . ?a ?i ?f } } }",
    "nested SELECT": "SELECT * { " + "{ SELECT * { ?a ?b ?c " * 300 + "} }" * 300 + " }",
    "a thousand patterns": "SELECT * { " + " . ".join(f"?v{n} ?p{n} ?v{n + 1}" for n in range(1_000)) + " }",
    "strings by CONCAT": growing("CONCAT({0}, {0})", 40),
    "strings by REPLACE": growing("REPLACE({0}, '.', '$0$0$0$0$0$0$0$0')", 12),
    "strings by ENCODE_FOR_URI": growing("ENCODE_FOR_URI(CONCAT({0}, '%%%', {0}))", 40),
    "SERVICE": "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
    "SERVICE SILENT": "SELECT * { SERVICE SILENT <http://127.0.0.1:9/> { ?s ?p ?o } }",
    "SERVICE, escaped": "SELECT * { S\\u0045RVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
    "an update": "DROP ALL",
    "less, and less": "<" * 300_000,
    "a long word": "x" * 500_000,
    "a long string, not closed": '"' + '\\"' * 150_000,
    "thousands of SERVICE": "SELECT * { " + "SERVICE " * 60_000 + "}",
    "no query": "SELECT * { ?s ?p " + "?o " * 10_000,
}


@dataclass
class Tally:
    """What came back, kept by all threads."""

    statuses: Counter[str] = field(default_factory=Counter)
    by_query: dict[str, Counter[str]] = field(default_factory=dict)
    waits: dict[str, list[float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, outcome: str, fault: str = "") -> None:
        with self.lock:
            self.statuses[outcome] += 1
            self.by_query.setdefault(name, Counter())[outcome] += 1
            if fault:
                self.faults.append(f"{name}: {fault}")

    def waited(self, watcher: str, seconds: float) -> None:
        with self.lock:
            self.waits.setdefault(watcher, []).append(seconds)


@dataclass(frozen=True)
class Target:
    """Where the site is, and what the watchers ask of it: URL paths that give another page, or row, each time."""

    url: str
    pages: Sequence[str]
    queries: Sequence[str]

    def connect(self, address: str) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        return http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS, source_address=(address, 0)
        )

    def path(self, path: str) -> str:
        return urlsplit(self.url).path + path


# Clients that mean ill


def reads_all(connection: http.client.HTTPConnection, _: threading.Event) -> tuple[int, bytes, str]:
    """Reads all it is given, and keeps the start."""
    response = connection.getresponse()
    start = response.read(4096)
    while response.read(1 << 16):
        pass
    return response.status, start, ""


def reads_slowly(connection: http.client.HTTPConnection, stop: threading.Event) -> tuple[int, bytes, str]:
    """Reads a little at a time, and gives up after a while."""
    response = connection.getresponse()
    start = response.read(1024)
    for _ in range(60):
        if stop.wait(0.1) or not response.read(512):
            break
    return response.status, start, ", slowly"


def never_reads(connection: http.client.HTTPConnection, stop: threading.Event) -> tuple[int, bytes, str]:
    """Takes the start of its answer, and then nothing, until the server has had enough of it."""
    response = connection.getresponse()
    start = response.read(1024)
    if stop.wait(UNREAD_SECONDS):
        return response.status, start, ", unread"
    while response.read(1 << 16):
        pass
    return response.status, start, ", late"


def hangs_up(connection: http.client.HTTPConnection, stop: threading.Event) -> tuple[int, bytes, str]:
    """Goes away before the answer comes."""
    stop.wait(0.3)
    return 0, b"", "hung up"


HABITS: list[Callable[[http.client.HTTPConnection, threading.Event], tuple[int, bytes, str]]] = [
    reads_all,
    reads_all,
    reads_slowly,
    reads_all,
    hangs_up,
    never_reads,
]


def attack(target: Target, number: int, tally: Tally, stop: threading.Event) -> None:
    """One client: all the queries again and again, from a place of its own in their list."""
    address = f"127.0.0.{2 + number % ADDRESSES}"
    names = list(WORST)
    order = itertools.cycle(names[number * 5 % len(names) :] + names[: number * 5 % len(names)])
    habits = itertools.cycle(HABITS[number % len(HABITS) :] + HABITS[: number % len(HABITS)])
    while not stop.is_set():
        if number == 0:
            half_a_request(target, address, stop)
        name, habit = next(order), next(habits)
        connection = target.connect(address)
        try:
            text = f"{WORST[name]} # {random.random()}"  # never twice the same, so that nobody can know it again
            headers = {"Content-Type": FORM, "Accept": "*/*, application/problem+json"}
            connection.request("POST", target.path("sparql"), urlencode({"query": text}).encode(), headers)
            status, start, how = habit(connection, stop)
            tally.add(name, f"{status or ''}{how}", wrong(status, start) if status else "")
        except http.client.IncompleteRead:
            tally.add(name, "broken off")  # an error in mid-stream breaks the transfer, as it should
        except TimeoutError:
            tally.add(name, "no answer", f"no answer within {PATIENCE_SECONDS} s")
        except (http.client.HTTPException, OSError) as error:
            tally.add(name, type(error).__name__, "" if stop.is_set() else f"{type(error).__name__} {error}")
        finally:
            connection.close()


def half_a_request(target: Target, address: str, stop: threading.Event) -> None:
    """Announces a body, sends half of it, and keeps silent for a while."""
    parts = urlsplit(target.url)
    head = f"POST {target.path('sparql')} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 100\r\n\r\n"
    with (
        contextlib.suppress(OSError),
        socket.create_connection(
            (parts.hostname or "", parts.port or 80), timeout=5, source_address=(address, 0)
        ) as connection,
    ):
        connection.sendall(head.encode() + b"query=SELECT")
        stop.wait(2)


def wrong(status: int, start: bytes) -> str:
    """What is wrong with an answer: its status, no body, or no reason."""
    if status not in ALLOWED:
        return f"status {status}: {start[:300]!r}"
    if not start.strip():
        return f"status {status} with an empty body"
    if status != 200 and not json.loads(start).get("detail"):
        return f"status {status} without a reason: {start[:300]!r}"
    return ""


# Clients that just want an answer


def watch(target: Target, name: str, address: str, paths: Sequence[str], tally: Tally, stop: threading.Event) -> None:
    """Ask for a page, or a row, again and again, each time on a connection of its own."""
    accept = "text/html" if name == "page" else "text/csv"
    for path in itertools.cycle(paths):
        if stop.wait(PAUSE_SECONDS):
            return
        started = time.monotonic()
        connection = target.connect(address)
        try:
            connection.request("GET", target.path(path), headers={"Accept": accept})
            response = connection.getresponse()
            body = response.read()
            refused = response.status == 503  # as good as never answered
            tally.waited(name, PATIENCE_SECONDS if refused else time.monotonic() - started)
            fine = refused or (response.status == 200 and len(body.splitlines()) > 1)
            tally.add(f"({name})", str(response.status), "" if fine else f"{response.status}: {body[:200]!r}")
        except (http.client.HTTPException, OSError) as error:
            tally.waited(name, time.monotonic() - started)
            tally.add(f"({name})", type(error).__name__, f"{type(error).__name__} {error}")
        finally:
            connection.close()


def run(target: Target, clients: int, seconds: float) -> Tally:
    """Attack and watch for so long; without clients, only watch."""
    tally, stop = Tally(), threading.Event()
    threads = [threading.Thread(target=attack, args=(target, n, tally, stop)) for n in range(clients)]
    for name, address, paths in zip(("page", "row"), WATCHERS, (target.pages, target.queries), strict=True):
        threads.append(threading.Thread(target=watch, args=(target, name, address, paths, tally, stop)))
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS + 5)
    return tally


# A server of our own


def write_publication(folder: Path, triples: int, settings: str) -> list[str]:
    """A publication of about so many triples, five for each of its entities; their names."""
    names = [f"thing-{number}" for number in range(triples // 5)]
    files = {
        "publication.toml": f'base_iri = "{EX}"\ntitle = {{ en = "Much" }}\n[limits]\n{settings}',
        "ontology/ontology.ttl": "ex:much a owl:Ontology . ex:Thing a owl:Class . ex:Checked a owl:Class .",
        "shapes/shapes.ttl": "ex:CheckedShape a sh:NodeShape ; sh:targetClass ex:Checked ;\n"
        "  sh:property [ sh:path rdfs:label ; sh:minCount 1 ] .",
        "data/much.ttl": "ex:checked a ex:Checked ; rdfs:label 'Checked' .\n"
        + "\n".join(
            f"<id/{name}> a ex:Thing ; rdfs:label 'Thing {number}'@en ; ex:number {number} ; "
            f"ex:next <id/{names[(number + 1) % len(names)]}> ; ex:other <id/{names[number * 7 % len(names)]}> ."
            for number, name in enumerate(names)
        ),
    }
    prefixes = f"@prefix ex: <{EX}> . @prefix owl: <http://www.w3.org/2002/07/owl#> . @base <{EX}> .\n"
    prefixes += "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text if path.endswith("toml") else prefixes + text + "\n", encoding="utf-8")
    return names


@contextlib.contextmanager
def served(folder: Path, workers: int) -> Iterator[tuple[str, int]]:
    """`tracktwo serve` while the block runs: (URL, process id)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = [sys.executable, "-m", "tracktwo", "serve", "--publication", str(folder), "--port", str(port)]
    line += ["--releases", str(folder / "releases"), "--workers", str(workers)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        until = time.monotonic() + 120
        while not is_up(port):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit((folder / "log").read_text())
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/", process.pid
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(30)


def is_up(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def family(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def memory_mb(pids: Sequence[int]) -> float:
    """What the processes have in memory, shared pages counted once."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for row in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                total += int(row.split()[1]) if row.startswith("Pss:") else 0
    return total / 1024


def settled(root: int, before: int, seconds: float) -> tuple[int, float]:
    """(processes, MB) once they are as many as before, or after so long."""
    until = time.monotonic() + seconds
    while len(family(root)) != before and time.monotonic() < until:
        time.sleep(0.2)
    found = family(root)
    return len(found), memory_mb(found)


# Telling


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def figures(tally: Tally) -> dict[str, Any]:
    """What was found, as plain data."""
    waits = {
        name: {
            "requests": len(values),
            "p50_ms": round(percentile(values, 0.5) * 1000, 1),
            "p99_ms": round(percentile(values, 0.99) * 1000, 1),
            "max_ms": round(max(values) * 1000, 1),
        }
        for name, values in sorted(tally.waits.items())
    }
    attacks = Counter[str]()
    for name, outcomes in tally.by_query.items():
        if not name.startswith("("):
            attacks.update(outcomes)
    return {"watchers": waits, "statuses": dict(sorted(attacks.items())), "faults": tally.faults}


def tell(found: dict[str, Any], tally: Tally) -> None:
    for name, row in found["watchers"].items():
        statuses = dict(tally.by_query[f"({name})"])
        print(f"{name:>5}: {row['requests']} requests, p50 {row['p50_ms']} ms, p99 {row['p99_ms']} ms,", end=" ")
        print(f"longest {row['max_ms']} ms; {statuses}; before: p50 {found['calm'][name]['p50_ms']} ms,", end=" ")
        print(f"p99 {found['calm'][name]['p99_ms']} ms")
    print("answers:", "  ".join(f"{status}: {count}" for status, count in found["statuses"].items()))
    for name in WORST:
        print(f"  {name:<30}", "  ".join(f"{k}: {v}" for k, v in sorted(tally.by_query.get(name, {}).items())))
    for key in ("processes", "memory_mb"):
        if key in found:
            print(f"{key}: {found[key][0]} before, {found[key][1]} at the height, {found[key][2]} after")
    for fault, count in Counter(found["faults"]).most_common(20):
        print(f"FAULT ({count}x) {fault}")


def missed(found: dict[str, Any], limit_ms: float) -> list[str]:
    """What of the acceptance does not hold."""
    reasons = [
        f"{name}: p99 is {row['p99_ms']} ms, over {limit_ms:g}"
        for name, row in found["watchers"].items()
        if row["p99_ms"] > limit_ms
    ]
    if found["faults"]:
        reasons.append(f"{len(found['faults'])} answers were wrong")
    if "processes" in found and found["processes"][2] != found["processes"][0]:
        reasons.append("the number of processes is not what it was")
    if "memory_mb" in found and found["memory_mb"][2] > 2 * found["memory_mb"][0] + 100:
        reasons.append("memory is not back")
    return reasons


def measure_own(arguments: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], Tally]:
    """Serve a publication of our own and attack it."""
    names = write_publication(folder, arguments.triples, arguments.settings.replace(";", "\n"))
    with served(folder, arguments.workers) as (url, pid):
        queries = [
            f"SELECT ?label {{ <{EX}id/{name}> <http://www.w3.org/2000/01/rdf-schema#label> ?label }}" for name in names
        ]
        target = Target(url, [f"doc/{name}" for name in names], [f"sparql?{urlencode({'query': q})}" for q in queries])
        before = family(pid)
        memory_before = memory_mb(before)
        calm = figures(run(target, 0, CALM_SECONDS))["watchers"]
        height = [0, 0.0]
        done = threading.Event()

        def look() -> None:
            while not done.wait(0.5):
                now = family(pid)
                height[:] = [max(height[0], len(now)), max(height[1], memory_mb(now))]

        looker = threading.Thread(target=look)
        looker.start()
        tally = run(target, arguments.clients, arguments.seconds)
        done.set()
        looker.join()
        processes, memory = settled(pid, len(before), 10)
        found = figures(tally) | {"calm": calm}
        found["processes"] = [len(before), height[0], processes]
        found["memory_mb"] = [round(memory_before), round(height[1]), round(memory)]
    return found, tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--p99-ms", type=float, default=500, help="what 99 %% of the watchers' requests may take")
    parser.add_argument("--url", help="a site that runs; else one is served")
    parser.add_argument("--page", action="append", help="with --url: the path of an entity's page; repeatable")
    parser.add_argument("--query", action="append", help="with --url: a query of one row; repeatable")
    parser.add_argument("--triples", type=int, default=50_000, help="of the publication that is made")
    parser.add_argument("--workers", type=int, default=2, help="web workers of the server that is started")
    parser.add_argument("--settings", default="", help="limits of its publication.toml, separated by `;`")
    parser.add_argument("--folder", type=Path, help="an empty folder for it; else a temporary one")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    if arguments.url:
        paths = [f"sparql?{urlencode({'query': text})}" for text in arguments.query or ["SELECT (1 AS ?one) {}"]]
        target = Target(arguments.url, arguments.page or [""], paths)
        calm = figures(run(target, 0, CALM_SECONDS))["watchers"]
        tally = run(target, arguments.clients, arguments.seconds)
        found = figures(tally) | {"calm": calm}
    elif arguments.folder:
        found, tally = measure_own(arguments, arguments.folder)
    else:
        with tempfile.TemporaryDirectory() as folder:
            found, tally = measure_own(arguments, Path(folder))
    tell(found, tally)
    reasons = missed(found, arguments.p99_ms)
    if arguments.json:
        arguments.json.write_text(json.dumps(found | {"missed": reasons}, indent=1), encoding="utf-8")
    print("accepted" if not reasons else "NOT accepted: " + "; ".join(reasons))
    sys.exit(1 if reasons else 0)


if __name__ == "__main__":
    main()

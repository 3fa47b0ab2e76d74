"""Our server beside others, with the same application on the same machine in the same run: what matters is the ratio.

    python tests/bench/serve.py --seconds 2

Ours is granian with the bridge and its cache of finished responses; the others serve the plain WSGI application. What
gunicorn and waitress need is installed into a temporary folder, unless `--packages` names one that has it.
"""

import argparse
import contextlib
import itertools
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import worst_queries
from worst_queries import EX, percentile

WORKERS, THREADS = 2, 8
ROW = f"SELECT ?label {{ <{EX}id/{{name}}> <http://www.w3.org/2000/01/rdf-schema#label> ?label }}"

APPLICATION = """
import os, pathlib
from tracktwo.web.app import create_app
from tracktwo.web.site import Options
def application():
    return create_app(Options(pathlib.Path(os.environ["RELEASES"]), os.environ["PUBLIC_URL"]))
"""
WAITRESS = (
    "import waitress, plain; waitress.serve(plain.application(), host='127.0.0.1', port={port}, threads={threads})"
)


@dataclass(frozen=True)
class Case:
    """What is asked: a path that holds the name of an entity, and whether each request asks for something new."""

    title: str
    path: str
    accept: str
    fresh: bool


CASES = (
    Case("page, asked before", "doc/{name}", "text/html", fresh=False),
    Case("page, new", "doc/{name}", "text/html", fresh=True),
    Case("Turtle, asked before", "doc/{name}", "text/turtle", fresh=False),
    Case("Turtle, new", "doc/{name}", "text/turtle", fresh=True),
    Case("query of one row, new", "sparql?" + urlencode({"query": ROW}, safe="{}"), "text/csv", fresh=True),
)


@dataclass(frozen=True)
class Load:
    """What a server did: answers in a second, how long each took, and how many were errors or hung up on."""

    rate: float
    waits: Sequence[float]
    failures: int


def requests(case: Case, names: Sequence[str], host: str) -> Iterator[bytes]:
    """The requests of a case, without end."""
    for number in itertools.count():
        name = names[number % len(names)] if case.fresh else names[0]
        path = case.path.replace("%7Bname%7D", name).replace("{name}", name)
        path += f"{'&' if '?' in path else '?'}n={number}" if case.fresh else ""
        yield f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nAccept: {case.accept}\r\n\r\n".encode()


class Connection:
    """One connection that is kept open, with one request on its way."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=10)
        self.sent = 0.0
        self.fine = True
        self._buffer = b""

    def send(self, request: bytes) -> None:
        self.sent = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Read what is there; is the answer whole now?"""
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionResetError
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        self.fine = head.startswith(b"HTTP/1.1 200")
        length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), None)
        if len(body) < int(length.partition(b":")[2]) if length else not body.endswith(b"0\r\n\r\n"):
            return False
        self._buffer = b""
        return True


def load(url: str, case: Case, names: Sequence[str], connections: int, seconds: float) -> Load:
    """Ask over so many connections at once for so long; who is hung up on connects again."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    asked = requests(case, names, parts.netloc)
    waits: list[float] = []
    failures = 0

    def connect() -> None:
        connection = Connection(address)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(next(asked))

    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            connect()
        started = time.perf_counter()
        while (now := time.perf_counter()) < started + seconds:
            for key, _ in selector.select(1):
                connection = key.data
                try:
                    if connection.receive():
                        waits.append(time.perf_counter() - connection.sent)
                        failures += not connection.fine
                        connection.send(next(asked))
                except ConnectionError:
                    failures += 1
                    selector.unregister(connection.socket)
                    connection.socket.close()
                    connect()
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    return Load(len(waits) / (now - started), waits, failures)


@contextlib.contextmanager
def plain(name: str, folder: Path, packages: Path) -> Iterator[str]:
    """The plain application under another server, while the block runs: its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    threaded = [
        "-k",
        "gthread",
        "-w",
        str(WORKERS),
        "--threads",
        str(THREADS),
        "--graceful-timeout",
        "1",
        "--keep-alive",
        "60",
    ]
    lines = {
        "gunicorn": ["-m", "gunicorn", *threaded, "-b", f"127.0.0.1:{port}", "plain:application()"],
        "waitress": ["-c", WAITRESS.format(port=port, threads=THREADS)],
    }
    url = f"http://127.0.0.1:{port}/"
    (folder / "plain.py").write_text(APPLICATION, encoding="utf-8")
    path = os.pathsep.join([str(folder), str(packages), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = {**os.environ, "RELEASES": str(folder / "releases"), "PUBLIC_URL": url, "PYTHONPATH": path}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *lines[name]], stdout=log, stderr=log, env=environment, cwd=folder, start_new_session=True
        )
    try:
        until = time.monotonic() + 30
        while not worst_queries.is_up(port):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{name} did not start: " + (folder / f"{name}.log").read_text())
            time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def install(folder: Path) -> Path:
    """The other servers, for this run only."""
    line = [sys.executable, "-m", "pip", "install", "--quiet", "--quiet", "--target", str(folder)]
    subprocess.run([*line, "gunicorn", "waitress"], check=True, timeout=300)
    return folder


def compare(folder: Path, packages: Path, connections: int, seconds: float) -> dict[str, dict[str, Load]]:
    """Every case at every server, in turns: by title, then by server."""
    (folder / "publication").mkdir()
    names = worst_queries.write_publication(folder / "publication", 10_000, "")
    found: dict[str, dict[str, Load]] = {}
    with contextlib.ExitStack() as stack:
        ours, _ = stack.enter_context(worst_queries.served(folder / "publication", WORKERS))
        (folder / "releases").symlink_to(folder / "publication" / "releases")
        urls = {"ours": ours}
        urls |= {name: stack.enter_context(plain(name, folder, packages)) for name in ("gunicorn", "waitress")}
        for case in CASES:
            for name, url in urls.items():
                load(url, case, names, connections, min(0.3, seconds))  # warms up what keeps warm
                found.setdefault(case.title, {})[name] = load(url, case, names, connections, seconds)
    return found


def tell(found: dict[str, dict[str, Load]]) -> None:
    """A table: requests in a second, p50 and p99 in ms, and how many times as many ours answers."""
    print(f"{'':<24}" + "".join(f"{name:>30}" for name in next(iter(found.values()))) + "   ratios")
    for title, by_server in found.items():
        cells = [
            f"{one.rate:>10.0f}/s {percentile(one.waits, 0.5) * 1e3:>6.1f} {percentile(one.waits, 0.99) * 1e3:>8.1f} ms"
            for one in by_server.values()
        ]
        ratios = [by_server["ours"].rate / one.rate for name, one in by_server.items() if name != "ours"]
        print(
            f"{title:<24}" + "".join(f"{cell:>30}" for cell in cells) + "   " + "  ".join(f"{r:.1f}x" for r in ratios)
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2, help="for each case at each server")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--packages", type=Path, help="a folder with gunicorn and waitress")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        packages = arguments.packages or install(folder / "packages")
        tell(compare(folder, packages, arguments.connections, arguments.seconds))


if __name__ == "__main__":
    main()

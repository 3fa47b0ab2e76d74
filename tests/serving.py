"""A real `tracktwo serve` in a process of its own, on a free loopback port, and a client that hides nothing.

Take the fixtures with `own_site = serving.own_site`: however many test files do so, each publication has one server.
"""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import httpx
import pytest

OWN = Path(__file__).resolve().parent.parent
FOREIGN = Path(__file__).resolve().parent / "foreign"

CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
TURTLE, N_TRIPLES, N_QUADS = "text/turtle", "application/n-triples", "application/n-quads"
RDF_XML, JSON_LD, TRIG, HTML = "application/rdf+xml", "application/ld+json", "application/trig", "text/html"
RDF_TYPES = {"ttl": TURTLE, "nt": N_TRIPLES, "jsonld": JSON_LD, "rdf": RDF_XML, "trig": TRIG, "nq": N_QUADS}
VARIANTS = {**RDF_TYPES, "html": HTML}

_MARK = "SERVING_MARK"
_PATIENCE_SECONDS = 30.0
_PCHAR = "%/:@!$&'()*+,;=~-._"  # what stands in a URL's path as it is (RFC 3986 section 3.3)


@dataclass(frozen=True)
class Link:
    """One link of a `Link` header (RFC 8288)."""

    href: str
    rel: str
    type: str = ""


@dataclass
class Site:
    """A running server: where it is, what it serves, and how to talk to it.

    `client` follows no redirect and sends no header of its own but `Host` and `User-Agent`.
    """

    url: str
    publication: Path
    releases: Path
    base_iri: str
    process: subprocess.Popen[bytes]
    log: Path
    mark: str
    client: httpx.Client = field(repr=False)

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    def get(self, path: str, accept: str | None = None, **headers: str) -> httpx.Response:
        """GET a path, sent just as it is written; `if_none_match` names the header `If-None-Match`."""
        return self.ask("GET", path, accept, None, **headers)

    def head(self, path: str, accept: str | None = None, **headers: str) -> httpx.Response:
        return self.ask("HEAD", path, accept, None, **headers)

    def ask(
        self, method: str, path: str, accept: str | None = None, content: bytes | None = None, **headers: str
    ) -> httpx.Response:
        target = path.encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if accept is not None:
            sent["accept"] = accept
        return self.client.request(method, self.url, headers=sent, content=content, extensions={"target": target})

    def raw(self, request: bytes) -> bytes:
        """What the server answers to these very bytes on a connection of their own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        return answer

    def query(self, text: str, accept: str | None = None, **parameters: str) -> httpx.Response:
        """Ask the endpoint by GET (SPARQL 1.1 Protocol section 2.1.1)."""
        return self.get("/sparql?" + urlencode({"query": text, **parameters}), accept)

    def post(self, body: bytes | str, kind: str, accept: str | None = None, path: str = "/sparql") -> httpx.Response:
        content = body.encode() if isinstance(body, str) else body
        return self.ask("POST", path, accept, content, content_type=kind)

    def path(self, iri: str) -> str:
        """The path that serves an IRI under the base, or `/describe` for one beyond it."""
        plain = iri.partition("#")[0]
        if plain.startswith(self.base_iri):
            plain_path, mark, query = plain[len(self.base_iri) :].partition("?")
            return "/" + quote(plain_path, safe=_PCHAR) + mark + query
        return "/describe?" + urlencode({"iri": iri})

    def below(self, url: str) -> str:
        """The path of an absolute URL of this site."""
        assert url.startswith(self.url), url
        return url[len(self.url) - 1 :]


def links(response: httpx.Response) -> list[Link]:
    """The links of a response's header."""
    found = []
    for part in re.findall(r'<[^>]*>(?:\s*;\s*\w+="[^"]*")*', response.headers.get("link", "")):
        attributes = dict(re.findall(r';\s*(\w+)="([^"]*)"', part))
        found.append(Link(part[1 : part.index(">")], attributes.get("rel", ""), attributes.get("type", "")))
    return found


def kind(response: httpx.Response) -> str:
    """The media type without its parameters."""
    return str(response.headers.get("content-type", "")).partition(";")[0]


def vary(response: httpx.Response) -> set[str]:
    """The names in all `Vary` fields, in lower case."""
    return {name.strip().lower() for name in ",".join(response.headers.get_list("vary")).split(",") if name.strip()}


def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(*arguments: str | Path) -> list[str]:
    """The command line of `tracktwo`, run by this interpreter."""
    return [sys.executable, "-m", "tracktwo", *map(str, arguments)]


def tracktwo(
    *arguments: str | Path, before: Sequence[str] = (), cwd: Path | None = None, check: bool = False, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `before` stands in front of it on the command line."""
    line = [*before, *command(*arguments)]
    return subprocess.run(line, cwd=cwd, check=check, capture_output=True, text=True, timeout=60, **more)


def copy_of(publication: Path, target: Path) -> Path:
    """A publication's folders and settings, copied where a test may change them."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(publication / "publication.toml", target)
    for folder in ("ontology", "data", "shapes", "vocabulary", "facts", "rules"):
        if (publication / folder).is_dir():
            shutil.copytree(publication / folder, target / folder)
    return target


def with_settings(publication: Path, **settings: object) -> Path:
    """Change lines of a publication's `publication.toml` in place."""
    path = publication / "publication.toml"
    text = path.read_text(encoding="utf-8")
    for name, value in settings.items():
        text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
        assert count == 1, name
    path.write_text(text, encoding="utf-8")
    return publication


def base_iri_of(publication: Path) -> str:
    found = re.search(r'(?m)^base_iri = "(.*)"$', (publication / "publication.toml").read_text(encoding="utf-8"))
    assert found
    return found[1]


def marked(mark: str) -> dict[int, str]:
    """The command lines of all living processes that were started with this mark in their environment, by id."""
    found = {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if f"{_MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (
                    (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
    return found


@contextlib.contextmanager
def serve(
    publication: Path,
    releases: Path,
    *arguments: str,
    port: int = 0,
    prefix: str = "",
    environment: Mapping[str, str] | None = None,
    logs: Path | None = None,
    before: Sequence[str] = (),
) -> Iterator[Site]:
    """Run `tracktwo serve` while the block runs; then press Ctrl-C and hold that no process is left."""
    port = port or free_port()
    mark = uuid.uuid4().hex
    log = (logs or releases.parent) / f"serve-{mark}.log"
    line = [
        *before,
        *command("serve", "--publication", publication, "--releases", releases, "--port", str(port), *arguments),
    ]
    with log.open("wb") as out:
        process = _start(line, out, {**os.environ, **(environment or {}), _MARK: mark})
        with httpx.Client(timeout=30, trust_env=False) as client:
            for name in ("accept", "accept-encoding", "connection"):
                del client.headers[name]
            site = Site(
                f"http://127.0.0.1:{port}/", publication, releases, base_iri_of(publication), process, log, mark, client
            )
            try:
                _wait_until_up(site, prefix)
                yield site
            finally:
                end(site)
                log.unlink()


def _start(line: Sequence[str], out: IO[bytes], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        line, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, start_new_session=True
    )


def _wait_until_up(site: Site, prefix: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        assert site.process.poll() is None, f"serve ended: {site.log.read_text()}"
        with contextlib.suppress(httpx.TransportError):
            if site.get(f"{prefix}/health").status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"serve did not answer: {site.log.read_text()}")


def end(site: Site) -> None:
    """Press Ctrl-C, which a terminal sends to the whole group, and hold that the server and all its children end."""
    if site.process.poll() is None:
        os.killpg(site.process.pid, signal.SIGINT)
    try:
        site.process.wait(15)
        gone_by = time.monotonic() + 5
        while (left := marked(site.mark)) and time.monotonic() < gone_by:
            time.sleep(0.05)
        assert left == {}, "Ctrl-C left processes"
    finally:
        for pid in marked(site.mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def releases_of(publication: Path, folders: pytest.TempPathFactory) -> Path:
    """The releases folder of one of the two publications, built once for all processes of a run; to be read only."""
    base = folders.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    releases = base / f"releases-of-{publication.name}"
    with (base / f"{releases.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (releases / "current").exists():
            line = command("build", "--publication", publication, "--releases", releases)
            subprocess.run(line, check=True, capture_output=True, timeout=300)
    return releases


@dataclass
class _Shared:
    """One server for many test files: the first that asks starts it, the last that lets go ends it."""

    publication: Path
    users: int = 0
    site: Site | None = None
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @contextlib.contextmanager
    def use(self, folders: pytest.TempPathFactory) -> Iterator[Site]:
        if self.site is None:
            self.site = self.stack.enter_context(serve(self.publication, releases_of(self.publication, folders)))
        self.users += 1
        try:
            yield self.site
        finally:
            self.users -= 1
            if not self.users:
                self.site = None
                self.stack.close()


_OWN, _FOREIGN = _Shared(OWN), _Shared(FOREIGN)


@pytest.fixture(scope="session")
def own_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """This repository's publication, served."""
    with _OWN.use(tmp_path_factory) as site:
        yield site


@pytest.fixture(scope="session")
def foreign_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The foreign publication, served."""
    with _FOREIGN.use(tmp_path_factory) as site:
        yield site


def absolute(site: Site, href: str, page: str) -> str:
    """Where a link of a page leads."""
    return urljoin(urljoin(site.url, page), href)

"""The production server: granian speaks HTTP, this bridge hands requests to the WSGI application.

The bridge exists for three things that granian's own WSGI interface lacks (measured on 2.8): the path as it was sent
(`%2F` is not `/`), a transfer that breaks when the application fails in its middle, and word of a client that has gone
while the application is still at work.
"""

import asyncio
import ctypes
import io
import ipaddress
import json
import os
import re
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.server import Server

from tracktwo.web.app import create_app
from tracktwo.web.cache import Finished, ResponseCache
from tracktwo.web.site import Options

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ENVIRONMENT = "TRACKTWO_SITE"
#: glibc would keep freed memory: in an arena for each thread, and in ever larger blocks of the heap. By name for query
#: workers, which are programs of their own, by number for web workers, which are forked (mallopt(3)).
_MALLOC = {
    "MALLOC_ARENA_MAX": (-8, 2),
    "MALLOC_MMAP_THRESHOLD_": (-3, 1 << 17),
    "MALLOC_TRIM_THRESHOLD_": (-1, 1 << 17),
}
_IPV6_PREFIX = 64  # bits that tell one network from another
_PAGE_THREADS = 8
_SHORT_BYTES = 1 << 20  # a longer body is sent in pieces
_DRAINED_BYTES = 16 << 20
_FORM_BYTES = 4096  # what a form adds to the query that it carries
_ENCODED = 3  # percent-encoding makes a byte as many
_QUERY_THREADS = 32  # queries wait for workers here, so that pages never wait behind them
_ASKED_AT_ONCE = 24  # queries that are on their way to a first byte; the other threads send what follows
_ASKING = ("/sparql", "/query/")  # the paths whose answers wait for workers


def run(options: Options, host: str, port: int, workers: int) -> None:
    """Serve until told to stop (SIGINT, SIGTERM); each of the workers is a process of its own."""
    os.environ[_ENVIRONMENT] = json.dumps(
        {"releases": str(options.releases), "public_url": options.public_url, "store_url": options.store_url}
    )
    for name, (_, value) in _MALLOC.items():
        os.environ.setdefault(name, str(value))
    server = Server(
        "tracktwo.web.server:bridge",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        workers=workers,
        websockets=False,
        log_level="warning",  # type: ignore[arg-type]  # an enum of strings
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    )
    server.serve()


def bridge() -> "Bridge":
    """The application of one worker process, with the options that `run` left in the environment."""
    _give_memory_back()
    said = json.loads(os.environ[_ENVIRONMENT])
    return Bridge(create_app(Options(Path(said["releases"]), said["public_url"], said["store_url"])))


def _give_memory_back() -> None:
    """Have freed memory returned to the system, where the C library can be told so."""
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        for number, value in _MALLOC.values():
            library.mallopt(number, value)


class Bridge:
    """An ASGI application in front of our WSGI one (ASGI 3.0, PEP 3333)."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._follower = app.extensions["follower"]
        self._pages = ThreadPoolExecutor(_PAGE_THREADS, "page")
        self._queries = ThreadPoolExecutor(_QUERY_THREADS, "query")
        self._asked = asyncio.Semaphore(_ASKED_AT_ONCE)
        self._cache = ResponseCache()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                self._follower.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        site = self._follower.site()
        key = self._cache.key(site.release.build, scope)
        kept = self._cache.get(key)
        if kept is not None:
            await _send_whole(send, kept)
            return
        limits = site.publication.limits
        arrived = time.monotonic()
        body, over = await _body(receive, _ENCODED * limits.query_bytes + _FORM_BYTES)
        gone = threading.Event()
        environ = _environ(scope, site.links.root, body, gone)
        environ |= {"tracktwo.body_over": over, "tracktwo.arrived": arrived}
        watch = asyncio.ensure_future(_watch(receive, gone))
        try:
            answered = await self._answered(environ, limits.query_queue_seconds)
            finished = await _send(answered, send, gone, limits.query_unread_seconds)
        finally:
            watch.cancel()
        if finished is not None:
            self._cache.keep(key, finished)

    async def _answered(self, environ: dict[str, Any], queue_seconds: float) -> "_Answered":
        """What the application answers; a query that has waited too long to be asked is told so, as a page is."""
        if environ["PATH_INFO"].startswith(_ASKING):
            try:
                await asyncio.wait_for(self._asked.acquire(), queue_seconds)
            except TimeoutError:
                environ["tracktwo.busy"] = True
            else:
                try:
                    return await _run_in(self._queries, self._app, environ)
                finally:
                    self._asked.release()
        return await _run_in(self._pages, self._app, environ)


async def _body(receive: Receive, limit: int) -> tuple[bytes, bool]:
    """(the request's body, whether it went on beyond the limit).

    What is beyond is read and thrown away for a while, so that the answer can be heard and the connection used again.
    """
    parts: list[bytes] = []
    size = 0
    while size <= limit + _DRAINED_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        size += len(message.get("body", b""))
        if size <= limit:
            parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return (b"", True) if size > limit else (b"".join(parts), False)


async def _watch(receive: Receive, gone: threading.Event) -> None:
    """Set `gone` when the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


def _environ(scope: Scope, root: str, body: bytes, gone: threading.Event) -> dict[str, Any]:
    """The WSGI environment (PEP 3333), with the raw path below the root and the event of the client's leaving.

    A proxy may strip the public URL's path prefix or leave it.
    """
    raw = scope.get("raw_path", b"").partition(b"?")[0].decode("utf-8", "replace") or "/"
    path, prefix = scope["path"], root.rstrip("/")
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        path, raw = path[len(prefix) :] or "/", raw[len(prefix) :] or "/"
    host, port = scope.get("server") or ("", "")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": prefix,
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/" + scope["http_version"],
        "REMOTE_ADDR": _client(scope),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "tracktwo.raw_path": raw,
        "tracktwo.gone": gone,
    }
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        text = value.decode("latin-1")
        if key != "HTTP_CONTENT_LENGTH":
            environ[key] = f"{environ[key]}, {text}" if key in environ else text
    return environ


def _client(scope: Scope) -> str:
    """Whom a request counts for: where it came from, or the last address that a proxy on a private network names."""
    address = str((scope.get("client") or ("",))[0])
    named = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    try:
        near = ipaddress.ip_address(address).is_private
    except ValueError:
        near = False
    return _whom(named[-1].decode("latin-1").rpartition(",")[2] if near and named else address)


def _whom(address: str) -> str:
    """An address, or the network of an IPv6 address: whoever has one of these has them all (RFC 6177)."""
    host = re.sub(r"^\[(.*)\](:\d+)?$|^([\d.]+):\d+$", r"\1\3", address.strip())  # a proxy may name the port, too
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, _IPV6_PREFIX), strict=False))
    return str(found)


@dataclass(frozen=True)
class _Answered:
    """What the application answered: the body as bytes where it is short, else as it comes, from some threads."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes | Iterable[bytes]
    bodiless: bool
    threads: Executor


async def _run_in(threads: Executor, app: Flask, environ: dict[str, Any]) -> _Answered:
    return await asyncio.get_running_loop().run_in_executor(threads, _run, threads, app, environ)


def _run(threads: Executor, app: Flask, environ: dict[str, Any]) -> _Answered:
    """Run the application; a short body is taken whole, so that one trip to a thread is enough."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
        started[:] = [(status, headers)]
        return lambda _: None

    chunks = app.wsgi_app(environ, start)
    status, headers = started[0]
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    length = dict(raw).get(b"content-length", b"")
    bodiless = environ["REQUEST_METHOD"] == "HEAD"
    if not length.isdigit() or int(length) > _SHORT_BYTES:
        return _Answered(int(status[:3]), raw, chunks, bodiless, threads)
    try:
        return _Answered(int(status[:3]), raw, b"".join(chunks), bodiless, threads)
    finally:
        _close(chunks)


async def _send(answered: _Answered, send: Send, gone: threading.Event, unread_seconds: float) -> Finished | None:
    """Send an answer: whole where it is short, and then it is returned, else as it comes.

    Where the client takes nothing for so many seconds, the transfer is broken, and its query stopped.
    """
    loop = asyncio.get_running_loop()
    if isinstance(answered.body, bytes):
        finished = Finished(answered.status, answered.headers, answered.body)
        await _send_whole(send, finished)
        return finished
    try:
        await send({"type": "http.response.start", "status": answered.status, "headers": answered.headers})
        if not answered.bodiless:
            await _send_body(iter(answered.body), answered.threads, send, gone, unread_seconds)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        await loop.run_in_executor(answered.threads, _close, answered.body)
    return None


async def _send_whole(send: Send, finished: Finished) -> None:
    await send({"type": "http.response.start", "status": finished.status, "headers": finished.headers})
    await send({"type": "http.response.body", "body": finished.body, "more_body": False})


async def _send_body(
    iterator: Iterator[bytes], threads: Executor, send: Send, gone: threading.Event, unread_seconds: float
) -> None:
    loop = asyncio.get_running_loop()
    while not gone.is_set():
        chunk = await loop.run_in_executor(threads, next, iterator, None)
        if chunk is None:
            return
        if chunk:
            piece = send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.wait_for(piece, unread_seconds)


def _close(chunks: object) -> None:
    close = getattr(chunks, "close", None)
    if close is not None:
        close()

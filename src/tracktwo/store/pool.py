"""Query workers: processes that may be killed. Each holds the store read-only and runs one query at a time.

A worker past its deadline, over its limits, or no longer waited for is killed and replaced; so a query can take
down nothing but its own process. Requests and answers travel over pipes in frames (`frames`).
"""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tracktwo.errors import Busy, NotAcceptable, QueryError, QueryTimeout, QueryTooBig, StoreUnavailable, TracktwoError
from tracktwo.formats import RDF_FORMATS, RESULT_FORMATS, Format
from tracktwo.store import GRAPH, Answer, Query
from tracktwo.store.frames import DATA, END, ERROR, HEADER, Reader, pack

_SLICE_SECONDS = 0.1  # how soon a wait notices that its client has gone
_SHORT_BYTES = 1 << 16  # an answer up to this size is taken whole, if its end comes soon
_SOON_SECONDS = 0.005


@dataclass(frozen=True)
class PoolLimits:
    """Bounds of a pool: workers, seconds for each query and in the queue, MB (2^20 bytes) of memory and of result.

    Only workers for federated queries may open `sockets`.
    """

    workers: int
    seconds: float
    queue_seconds: float
    memory_mb: int
    result_mb: int
    sockets: bool = False

    @property
    def workers_for_one(self) -> int:
        """How many workers one client may hold: never all of them, where there are several."""
        return max(1, self.workers - 1)


@dataclass(frozen=True)
class Dialect:
    """What a query need not declare: prefixes, and the base of its relative IRIs."""

    base_iri: str
    prefixes: Mapping[str, str]


class Worker:
    """One query worker, from our side of its pipes."""

    def __init__(self, store: Path, dialect: Dialect, limits: PoolLimits) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the worker
        setup = json.dumps(
            {"store": str(store), "prefixes": dict(dialect.prefixes), "base_iri": dialect.base_iri} | asdict(limits)
        )
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tracktwo.store.worker", setup],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C on the terminal is for the server, which ends its workers itself
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in = self._process.stdin
        self._reader = Reader(self._process.stdout.fileno())
        self._ready = False

    def send(self, request: Mapping[str, object]) -> None:
        """Hand the worker a request; a dead one is noticed when its answer is read."""
        with contextlib.suppress(BrokenPipeError):
            self._in.write(pack(HEADER, json.dumps(request).encode()))
            self._in.flush()

    def frame(self, deadline: float, gone: threading.Event) -> tuple[bytes, bytes]:
        """The next (type, payload); raises `QueryTimeout`, `_Gone`, or what the worker's death means."""
        while (found := self._reader.next()) is None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise QueryTimeout("The query ran past its deadline and was stopped.")
            if gone.is_set():
                raise _GoneError
            if self._reader.wait(min(remaining, _SLICE_SECONDS)) and not self._reader.fill():
                raise self._death()
        if not self._ready:  # the first frame says that the worker is up; what follows is the answer
            self._ready = True
            return self.frame(deadline, gone)
        return found

    def has_frame(self, seconds: float) -> bool:
        """Is there a whole frame within so many seconds?"""
        until = time.monotonic() + seconds
        while not self._reader.has_next():
            remaining = until - time.monotonic()
            if remaining <= 0 or not self._reader.wait(remaining) or not self._reader.fill():
                return self._reader.has_next()
        return True

    def _death(self) -> TracktwoError:
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read()[-2000:].decode(errors="replace")
        if code == -signal.SIGSEGV or "overflowed its stack" in said:
            return QueryTooBig("The query is nested too deeply and was stopped.")
        if code in (-signal.SIGABRT, -signal.SIGKILL) or "MemoryError" in said:
            return QueryTooBig("The query needed more memory than it may have and was stopped.")
        if code == -signal.SIGXCPU:
            return QueryTimeout("The query ran past its deadline and was stopped.")
        return StoreUnavailable(f"A query worker ended with code {code}.", hint=said)

    def kill(self) -> None:
        """End the process now and reap it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._in, self._process.stdout, self._errors):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]  # all three were opened


class _GoneError(Exception):
    """The client went away: there is nobody to tell."""


class Pool:
    """A fixed number of workers, a short queue in front, and no client with all of them."""

    def __init__(self, store: Path, dialect: Dialect, limits: PoolLimits) -> None:
        self._spawn: Callable[[], Worker] = lambda: Worker(store, dialect, limits)
        self._limits = limits
        self._idle = [self._spawn() for _ in range(limits.workers)]
        self._busy: set[Worker] = set()
        self._held: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._closed = False

    def answer(self, query: Query) -> Answer:
        """Run a query; the deadline counts from here, planning included, until the last byte is read."""
        worker = self._acquire(query.client)
        deadline = time.monotonic() + self._limits.seconds
        try:
            worker.send(_request(query, self._limits.seconds))
            header = _header(worker.frame(deadline, query.gone))
            format_ = _format(header, query)
        except NotAcceptable:
            self._release(worker, query.client, healthy=False)
            raise
        except _GoneError:
            self._release(worker, query.client, healthy=False)
            raise StoreUnavailable("The client went away.") from None
        except QueryError:
            self._release(worker, query.client, healthy=True)
            raise
        except BaseException:
            self._release(worker, query.client, healthy=False)
            raise
        stream = _Stream(self, worker, query, deadline)
        return Answer(str(header["kind"]), format_, stream, stream.close, stream.whole_if_short())

    def close(self) -> None:
        """End all workers, busy ones too."""
        with self._changed:
            self._closed = True
            workers = [*self._idle, *self._busy]
            self._idle.clear()
        for worker in workers:
            worker.kill()

    def _acquire(self, client: str) -> Worker:
        until = time.monotonic() + self._limits.queue_seconds
        with self._changed:
            while not self._idle or self._held[client] >= self._limits.workers_for_one:
                remaining = until - time.monotonic()
                if remaining <= 0 or not self._changed.wait(remaining):
                    raise Busy(
                        "All query workers are taken; try again shortly.",
                        retry_after=max(1, round(self._limits.seconds / 4)),
                    )
            self._held[client] += 1
            worker = self._idle.pop()
            self._busy.add(worker)
            return worker

    def _release(self, worker: Worker, client: str, *, healthy: bool) -> None:
        if not healthy:
            worker.kill()
        with self._changed:
            self._busy.discard(worker)
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client]
            if not self._closed:
                self._idle.append(worker if healthy else self._spawn())
            self._changed.notify_all()


class _Stream:
    """The bytes of an answer. Reading to the end gives the worker back; closing before that kills it."""

    def __init__(self, pool: Pool, worker: Worker, query: Query, deadline: float) -> None:
        self._pool, self._worker, self._query, self._deadline = pool, worker, query, deadline
        self._open = True
        self._waiting: deque[bytes] = deque()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def whole_if_short(self) -> bytes | None:
        """All the bytes, if they are few and their end comes soon after the first; they can still be read as well.

        An error before the first byte is raised from here.
        """
        first = next(self, None)
        taken = [first] if first is not None else []
        until = time.monotonic() + _SOON_SECONDS
        while self._open and sum(map(len, taken)) < _SHORT_BYTES and self._worker.has_frame(until - time.monotonic()):
            taken += [chunk] if (chunk := next(self, None)) is not None else []
        self._waiting.extend(taken)
        return None if self._open else b"".join(taken)

    def __next__(self) -> bytes:
        if self._waiting:
            return self._waiting.popleft()
        if not self._open:
            raise StopIteration
        try:
            kind, payload = self._worker.frame(self._deadline, self._query.gone)
        except BaseException:
            self.close()
            raise
        if kind == DATA:
            return payload
        fresh = kind == END and not json.loads(payload)["recycle"]
        self._finish(healthy=fresh)
        if kind == ERROR:
            raise _error(json.loads(payload))
        raise StopIteration

    def close(self) -> None:
        """Stop reading; an unfinished query is killed."""
        self._finish(healthy=False)

    def _finish(self, *, healthy: bool) -> None:
        if self._open:
            self._open = False
            self._pool._release(self._worker, self._query.client, healthy=healthy)


def _request(query: Query, seconds: float) -> dict[str, object]:
    return {
        "text": query.text,
        "default_graphs": query.default_graphs,
        "named_graphs": query.named_graphs,
        "results": query.results.name if query.results else None,
        "graph": query.graph.name if query.graph else None,
        "seconds": seconds,
    }


def _header(frame: tuple[bytes, bytes]) -> dict[str, object]:
    kind, payload = frame
    content: dict[str, object] = json.loads(payload)
    if kind == ERROR:
        raise _error(content)
    return content


def _format(header: Mapping[str, object], query: Query) -> Format:
    chosen = query.graph if header["kind"] == GRAPH else query.results
    if chosen is None:
        offered = RDF_FORMATS if header["kind"] == GRAPH else RESULT_FORMATS
        raise NotAcceptable(
            "None of the formats that the request accepts can hold this query's answer.",
            [row.media_type for row in offered],
        )
    return chosen


def _error(content: Mapping[str, object]) -> TracktwoError:
    """The error that a worker reports, by the name of its type."""
    message = str(content["message"])
    if content["type"] == "query":
        line, column = content.get("line"), content.get("column")
        return QueryError(
            message, line=line if isinstance(line, int) else None, column=column if isinstance(column, int) else None
        )
    if content["type"] == "size":
        return QueryTooBig(message)
    return StoreUnavailable(message)

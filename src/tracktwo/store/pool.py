"""Query workers: processes that may be killed. Each holds the store read-only and runs one query at a time.

A worker past its deadline, over its limits, or no longer waited for is killed and replaced; so a query can take
down nothing but its own process. Requests and answers travel over pipes in frames (`frames`).

Every query starts as a short one. There are places for a few long ones, and more workers than places: a query that
goes on needs a place, and where there is none it is stopped, waits for one, and starts anew, unless it has waited too
long; for a while the client's next queries wait for a place from the start, since each attempt costs a worker. So long
queries keep short ones waiting for no more than moments, however many there are.
"""

import contextlib
import itertools
import json
import os
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
from typing import NamedTuple

from cachetools import TTLCache

from tracktwo.errors import (
    Busy,
    NotAcceptable,
    QueryError,
    QueryTimeout,
    QueryTooBig,
    Sentence,
    StoreUnavailable,
    TracktwoError,
)
from tracktwo.formats import RDF_FORMATS, RESULT_FORMATS, Format
from tracktwo.publication import Limits
from tracktwo.store import GRAPH, Answer, Query
from tracktwo.store.frames import DATA, END, ERROR, HEADER, Reader, pack

_SLICE_SECONDS = 0.1  # how soon a wait notices that its client has gone
_SHORT_BYTES = 1 << 16  # an answer up to this size is taken whole, if its end comes soon
_SOON_SECONDS = 0.01  # of processor time, too: that of the kernel's clock has no finer ticks
_SHORT_SECONDS = 0.1  # of processor time: what takes more is a long query
_WAITED_SECONDS = 1.0  # what has waited so long, be it for the processor or the disk, is one, too
_TICKS = os.sysconf("SC_CLK_TCK")
_UP_SECONDS = 10.0  # a worker that is not up by then is handed out all the same, and its query tells why
_AGAIN_SECONDS = 1.0  # after a worker could not be started
_LONG_NICENESS = 19
_STATM = Path("/proc/self/statm")
_LATE = Sentence("The query ran past its deadline and was stopped.")
_CLIENTS = 10_000  # that are remembered
_STOPPED_SECONDS = 10.0  # for so long all queries of a client are long ones after one was stopped for want of a place
_REMEMBERED_SECONDS = 30.0  # for so long a client that cost a worker leaves the last idle one to others


@dataclass(frozen=True)
class PoolLimits:
    """Bounds of a pool: long queries at once, seconds for each and in the queue, MB (2^20 bytes) of memory and result.

    `result_rows` counts the triples of a graph as well.

    Only workers for federated queries may open `sockets`.
    """

    workers: int
    seconds: float
    queue_seconds: float
    memory_mb: int
    result_mb: int
    result_rows: int
    sockets: bool = False

    @classmethod
    def of(cls, limits: Limits) -> "PoolLimits":
        """The bounds that a publication sets."""
        return cls(
            limits.query_workers,
            limits.query_seconds,
            limits.query_queue_seconds,
            limits.query_memory_mb,
            limits.result_mb,
            limits.result_rows,
        )

    @property
    def workers_for_one(self) -> int:
        """How many long queries one client may run: never all that can be run, where they are several."""
        return max(1, self.workers - 1)

    @property
    def spare_workers(self) -> int:
        """Workers beyond the places of long queries. None for federated ones: another server makes all of them long."""
        return 0 if self.sockets else 2


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
        self._before = 0.0  # what it had worked when the query came

    def wait_until_up(self, seconds: float) -> None:
        """Wait until it can take a request, or has ended."""
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile
            if self._reader.wait(seconds):
                self._reader.fill()

    def step_back(self) -> None:
        """Let short queries and pages have the processor first, from now on."""
        with contextlib.suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _LONG_NICENESS)

    def worked_seconds(self) -> float:
        """The processor time that it has taken so far (proc(5), `stat`: utime and stime)."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it is gone
            return 0.0
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def has_ended(self) -> bool:
        """Is the process gone?"""
        return self._process.poll() is not None

    def send(self, request: Mapping[str, object]) -> None:
        """Hand the worker a request; a dead one is noticed when its answer is read."""
        self._before = self.worked_seconds()
        with contextlib.suppress(BrokenPipeError, ValueError):  # it has died, or the pool has closed it
            self._in.write(pack(HEADER, json.dumps(request).encode()))
            self._in.flush()

    def frame(self, deadline: float, gone: threading.Event) -> tuple[bytes, bytes]:
        """The next (type, payload); raises `QueryTimeout`, or what it means that the client or the worker has gone."""
        while (found := self._reader.next()) is None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise QueryTimeout(_LATE)
            if gone.is_set():
                raise _gone()
            try:
                ended = self._reader.wait(min(remaining, _SLICE_SECONDS)) and not self._reader.fill()
            except (OSError, ValueError) as error:  # the pool has closed the pipe under us
                raise StoreUnavailable("The server is ending.") from error
            if ended:
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
            try:
                if remaining <= 0 or not self._reader.wait(remaining) or not self._reader.fill():
                    return self._reader.has_next()
            except (OSError, ValueError):  # the pool has closed the pipe under us
                return False
        return True

    def _death(self) -> TracktwoError:
        """What the end of the process means. One that was killed before it worked on the query was not killed by it."""
        worked = self.worked_seconds() - self._before
        code = self._process.wait()
        if self._errors.closed:
            return StoreUnavailable("The server is ending.")
        self._errors.seek(0)
        said = self._errors.read()[-2000:].decode(errors="replace")
        if code == -signal.SIGSEGV or "overflowed its stack" in said:
            return QueryTooBig(Sentence("The query is nested too deeply and was stopped."))
        if code == -signal.SIGABRT or (code == -signal.SIGKILL and worked > 0) or "MemoryError" in said:
            return QueryTooBig(Sentence("The query needed more memory than it may have and was stopped."))
        if code == -signal.SIGXCPU:
            return QueryTimeout(_LATE)
        return StoreUnavailable(f"A query worker ended with code {code}.", hint=said)

    def kill(self) -> None:
        """End the process now and reap it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._in, self._process.stdout, self._errors):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]  # all three were opened


class _NoPlaceError(Exception):
    """A query has gone on for long, and all places for such are taken."""


class _Waiter(NamedTuple):
    """A query that waits for a worker; the order of the tuples is that of service.

    Short ones are first, and among them those of clients that have not cost a worker lately.
    """

    long: bool
    costly: bool
    number: int
    client: str


class Pool:
    """Workers, a short queue in front, a few places for long queries, and no client with all of them."""

    def __init__(self, store: Path, dialect: Dialect, limits: PoolLimits) -> None:
        if not _STATM.exists():
            raise StoreUnavailable(
                "Query workers need Linux, which tells their memory and refuses them sockets.",
                hint="Serve from a Linux machine, or put the statements into a remote store and name it with --store.",
            )
        self._spawn: Callable[[], Worker] = lambda: Worker(store, dialect, limits)
        self._limits = limits
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._starting = 0
        self._short: Counter[str] = Counter()
        self._long: Counter[str] = Counter()
        self._costly: TTLCache[str, bool] = TTLCache(_CLIENTS, _REMEMBERED_SECONDS)
        self._stopped: TTLCache[str, bool] = TTLCache(_CLIENTS, _STOPPED_SECONDS)
        self._waiting: list[_Waiter] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        with self._changed:
            for _ in range(limits.workers + limits.spare_workers):
                self._start()

    def answer(self, query: Query) -> Answer:
        """Run a query; the deadline counts from its start, planning included, until the last byte is read."""
        until = time.monotonic() + self._limits.queue_seconds
        with self._changed:
            long = query.client in self._stopped or not self._limits.spare_workers
        try:
            return self._run(query, until, long=long)
        except _NoPlaceError:
            with self._changed:
                self._stopped[query.client] = True
            return self._run(query, until, long=True)

    def close(self) -> None:
        """End all workers, busy ones too."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            while self._starting:
                self._changed.wait(_SLICE_SECONDS)
            workers = [*self._idle, *self._busy]
            self._idle.clear()
        for worker in workers:
            worker.kill()

    def _run(self, query: Query, until: float, *, long: bool) -> Answer:
        run = _Run(self, self._acquire(query, until, long=long), query, long=long)
        try:
            run.send()
            header = _header(run.frame())
            format_ = _format(header, query)
            return Answer(str(header["kind"]), format_, run, run.close, run.whole_if_short())
        except QueryError:
            run.finish(healthy=True)
            raise
        except NotAcceptable:
            run.finish(healthy=run.frame()[0] == END)  # the worker has heard that no format serves, and wrote nothing
            raise
        except BaseException:
            run.finish(healthy=False)
            raise

    def _acquire(self, query: Query, until: float, *, long: bool) -> Worker:
        """A worker, once it is this query's turn."""
        with self._changed:
            mine = _Waiter(long, self._is_costly(query.client), next(self._numbers), query.client)
            self._waiting.append(mine)
            try:
                while mine != self._next():
                    self._wait(query, until)
            finally:
                self._waiting.remove(mine)
                self._changed.notify_all()
            (self._long if long else self._short)[query.client] += 1
            worker = self._idle.pop()
            self._busy.add(worker)
            return worker

    def _next(self) -> _Waiter | None:
        """Whose turn it is, now that workers which have died while idle are replaced."""
        for worker in [worker for worker in self._idle if worker.has_ended()]:
            self._idle.remove(worker)
            worker.kill()
            self._start()
        return next((waiter for waiter in sorted(self._waiting) if self._can_have(waiter)), None)

    def _wait(self, query: Query, until: float) -> None:
        """Wait a moment for a change; raises `Busy` where that has taken too long."""
        remaining = until - time.monotonic()
        if remaining <= 0:
            raise Busy(
                Sentence("All query workers are taken; try again shortly."),
                retry_after=max(1, round(self._limits.seconds / 4)),
            )
        if query.gone.is_set():
            raise _gone()
        self._changed.wait(min(remaining, _SLICE_SECONDS))

    def _can_have(self, waiter: _Waiter) -> bool:
        """Is there a worker for it, and a place if it needs one?

        The last idle worker is for short queries of clients that have no other and have not cost one lately; another
        one may take long to start while the machine is busy.
        """
        if waiter.long:
            return len(self._idle) > bool(self._limits.spare_workers) and self._has_place(waiter.client)
        return len(self._idle) > bool(self._short[waiter.client] or self._is_costly(waiter.client))

    def _has_place(self, client: str) -> bool:
        return self._long.total() < self._limits.workers and self._long[client] < self._limits.workers_for_one

    def _promote(self, client: str) -> None:
        """Give a short query of this client a place among the long ones."""
        with self._changed:
            self._remember(client)
            if not self._has_place(client):
                raise _NoPlaceError
            self._short[client] -= 1
            self._long[client] += 1
            self._changed.notify_all()

    def _release(self, worker: Worker, client: str, *, long: bool, healthy: bool) -> None:
        if not healthy:
            worker.kill()
        with self._changed:
            if not healthy:
                self._remember(client)
            self._busy.discard(worker)
            held = self._long if long else self._short
            held[client] -= 1
            for empty in [name for name, count in held.items() if not count]:
                del held[empty]
            if not self._closed and healthy:
                self._idle.append(worker)
            elif not self._closed:
                self._start()
            self._changed.notify_all()

    def _remember(self, client: str) -> None:
        self._costly[client] = True

    def _forgive(self, client: str) -> None:
        """A client whose query was a short one after all need not wait with the long ones any more."""
        with self._changed:
            self._stopped.pop(client, None)

    def _is_costly(self, client: str) -> bool:
        return client in self._costly

    def _start(self) -> None:
        """Have another worker soon."""
        self._starting += 1
        threading.Thread(target=self._add, name="query-worker", daemon=True).start()

    def _add(self) -> None:
        """Start a worker, and make it known once it is up."""
        worker = None
        while worker is None and not self._closed:
            try:
                worker = self._spawn()
            except OSError:  # no memory or no process to be had just now
                time.sleep(_AGAIN_SECONDS)
        if worker is not None:
            worker.wait_until_up(_UP_SECONDS)
        with self._changed:
            self._starting -= 1
            if worker is not None and not self._closed:
                self._idle.append(worker)
            elif worker is not None:
                worker.kill()
            self._changed.notify_all()


class _Run:
    """One query in one worker, and the bytes of its answer.

    Reading to the end gives the worker back; closing before that kills it.
    """

    def __init__(self, pool: Pool, worker: Worker, query: Query, *, long: bool) -> None:
        self._pool, self._worker, self._query, self._long = pool, worker, query, long
        self._started = time.monotonic()
        self._worked = worker.worked_seconds()
        self._deadline = self._started + pool._limits.seconds
        self._open = True
        self._waiting: deque[bytes] = deque()
        if long:
            worker.step_back()

    def send(self) -> None:
        """Hand the query to the worker."""
        self._worker.send(_request(self._query, self._pool._limits.seconds))

    def frame(self) -> tuple[bytes, bytes]:
        """The next frame of the answer; raises `_NoPlaceError` where it does not come soon and must not come late."""
        while not self._long:
            try:
                return self._worker.frame(time.monotonic() + _SHORT_SECONDS, self._query.gone)
            except QueryTimeout:
                if self._has_worked(_SHORT_SECONDS):
                    self._go_on()
        return self._worker.frame(self._deadline, self._query.gone)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def whole_if_short(self) -> bytes | None:
        """All the bytes, if they are few and their end comes soon after the first; they can still be read as well.

        An error before the first byte is raised from here. What is not at its end is a long query from here on.
        """
        first = next(self, None)
        taken = [first] if first is not None else []
        while self._open and sum(map(len, taken)) < _SHORT_BYTES:
            if self._worker.has_frame(_SOON_SECONDS):
                taken += [chunk] if (chunk := next(self, None)) is not None else []
            elif self._long or self._has_worked(_SOON_SECONDS):
                break
        self._waiting.extend(taken)
        if not self._open:
            return b"".join(taken)
        if not self._long:
            self._go_on()
        return None

    def __next__(self) -> bytes:
        if self._waiting:
            return self._waiting.popleft()
        if not self._open:
            raise StopIteration
        try:
            kind, payload = self.frame()
        except BaseException:
            self.close()
            raise
        if kind == DATA:
            return payload
        fresh = kind == END and not json.loads(payload)["recycle"]
        self.finish(healthy=fresh)
        if kind == ERROR:
            raise _error(json.loads(payload))
        raise StopIteration

    def close(self) -> None:
        """Stop reading; an unfinished query is killed."""
        self.finish(healthy=False)

    def finish(self, *, healthy: bool) -> None:
        """Give the worker back. One that has stepped back can't come forward again, so it is replaced."""
        if self._open:
            self._open = False
            if healthy and not self._has_worked(_SHORT_SECONDS):
                self._pool._forgive(self._query.client)
            self._pool._release(self._worker, self._query.client, long=self._long, healthy=healthy and not self._long)

    def _has_worked(self, seconds: float) -> bool:
        """Has the query had so much of the processor, or waited for it too long?"""
        waited = time.monotonic() - self._started
        return waited > _WAITED_SECONDS or self._worker.worked_seconds() - self._worked > seconds

    def _go_on(self) -> None:
        self._pool._promote(self._query.client)
        self._long = True
        self._worker.step_back()


def _gone() -> StoreUnavailable:
    return StoreUnavailable("The client went away.")


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
            Sentence("None of the formats that the request accepts can hold this query's answer."),
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

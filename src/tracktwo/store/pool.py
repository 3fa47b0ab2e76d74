"""Query workers: processes that may be killed. Each holds the store read-only and runs one query at a time.

A worker past its deadline, over its limits, or no longer waited for is killed and replaced; so a query can take
down nothing but its own process. Requests and answers travel over pipes in frames (`frames`).

Every query starts as a short one. There are places for a few long ones, and more workers than places: a query that
goes on needs a place, and where there is none it is stopped, waits for one, and starts anew, unless it has waited too
long; for a while the client's next queries wait for a place from the start, since each attempt costs a worker. So long
queries keep short ones waiting for no more than moments, however many there are.

The deadline counts the query's work: the time in which its client waits for the next piece of the answer. A client
that reads slowly may take longer, but only while nobody waits for its query's place.
"""

import itertools
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from cachetools import TTLCache

from tracktwo.errors import (
    NotAcceptable,
    QueryError,
    QueryTimeout,
    QueryTooBig,
    Sentence,
    StoreUnavailable,
    TracktwoError,
    all_taken,
)
from tracktwo.formats import RDF_FORMATS, RESULT_FORMATS, Format
from tracktwo.store import GRAPH, Answer, Query
from tracktwo.store.frames import DATA, END, ERROR
from tracktwo.store.process import SLICE_SECONDS, Dialect, PoolLimits, Worker, gone_away, past_deadline

_SHORT_BYTES = 1 << 16  # an answer up to this size is taken whole, if its end comes soon
_SOON_SECONDS = 0.01  # of processor time, too: that of the kernel's clock has no finer ticks
_SHORT_SECONDS = 0.1  # of processor time: what takes more is a long query
_WAITED_SECONDS = 1.0  # what has waited so long, be it for the processor or the disk, is one, too
_UP_SECONDS = 10.0  # a worker that is not up by then is handed out all the same, and its query tells why
_AGAIN_SECONDS = 1.0  # after a worker could not be started
_STATM = Path("/proc/self/statm")
_CLIENTS = 10_000  # that are remembered
_STOPPED_SECONDS = 10.0  # for so long all queries of a client are long ones after one was stopped for want of a place
_REMEMBERED_SECONDS = 30.0  # for so long a client that cost a worker leaves the last idle one to others


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
        self._runs: set[_Run] = set()
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
        """Run a query; the deadline counts its work, planning included, until the last byte is read."""
        until = query.arrived + self._limits.queue_seconds
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
                self._changed.wait(SLICE_SECONDS)
            workers = [*self._idle, *(run.worker for run in self._runs)]
            self._idle.clear()
        for worker in workers:
            worker.kill()

    def _run(self, query: Query, until: float, *, long: bool) -> Answer:
        run = self._acquire(query, until, long=long)
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

    def _acquire(self, query: Query, until: float, *, long: bool) -> "_Run":
        """The query in a worker, once it is its turn."""
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
            run = _Run(self, self._idle.pop(), query, long=long)
            self._runs.add(run)
            return run

    def _next(self) -> _Waiter | None:
        """Whose turn it is, now that workers which have died while idle are replaced."""
        for worker in [worker for worker in self._idle if worker.has_ended()]:
            self._idle.remove(worker)
            worker.kill()
            self._start()
        self._evict()
        return next((waiter for waiter in sorted(self._waiting) if self._can_have(waiter)), None)

    def _evict(self) -> None:
        """Stop a query past its deadline that only goes on because its client reads slowly, if its place is wanted."""
        for run in [run for run in self._runs if run.is_overdue()]:
            if any(waiter.long and self._would_have_place(waiter.client, run.client) for waiter in self._waiting):
                run.evicted = True
                run.worker.end()
                self._forget(run)
                self._start()

    def _wait(self, query: Query, until: float) -> None:
        """Wait a moment for a change; raises `Busy` where that has taken too long."""
        remaining = until - time.monotonic()
        if remaining <= 0:
            raise all_taken(self._limits.seconds)
        if query.gone.is_set():
            raise gone_away()
        self._changed.wait(min(remaining, SLICE_SECONDS))

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

    def _would_have_place(self, client: str, other: str) -> bool:
        """Is there no place for a client, but one if a long query of the other ended?"""
        left = self._long[client] - (client == other)
        return not self._has_place(client) and left < self._limits.workers_for_one

    def _promote(self, run: "_Run") -> None:
        """Give a short query a place among the long ones."""
        with self._changed:
            self._remember(run.client)
            if not self._has_place(run.client):
                raise _NoPlaceError
            self._short[run.client] -= 1
            self._long[run.client] += 1
            run.long = True
            self._changed.notify_all()

    def _release(self, run: "_Run", *, healthy: bool) -> None:
        if not healthy:
            run.worker.kill()
        with self._changed:
            if run.evicted:
                return
            if not healthy:
                self._remember(run.client)
            self._forget(run)
            if not self._closed and healthy:
                self._idle.append(run.worker)
            elif not self._closed:
                self._start()
            self._changed.notify_all()

    def _forget(self, run: "_Run") -> None:
        """A query takes no worker and no place any more."""
        self._runs.discard(run)
        held = self._long if run.long else self._short
        held[run.client] -= 1
        for empty in [name for name, count in held.items() if not count]:
            del held[empty]

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
        self.worker, self.client, self.long = worker, query.client, long
        self.evicted = False  # its place is another's, and its worker has been ended
        self._pool, self._query = pool, query
        self._started = time.monotonic()
        self._worked = worker.worked_seconds()
        self._left = pool._limits.seconds  # of the time that its client may wait for it
        self._open = True
        self._waiting: deque[bytes] = deque()
        if long:
            worker.step_back()

    def send(self) -> None:
        """Hand the query to the worker."""
        self.worker.send(_request(self._query, self._pool._limits.seconds))

    def is_overdue(self) -> bool:
        """Has it had more time than any query that is read as it comes?"""
        return time.monotonic() - self._started > self._pool._limits.seconds

    def frame(self) -> tuple[bytes, bytes]:
        """The next frame of the answer; raises `_NoPlaceError` where it does not come soon and must not come late."""
        asked = time.monotonic()
        try:
            while not self.long:
                try:
                    return self.worker.frame(time.monotonic() + _SHORT_SECONDS, self._query.gone)
                except QueryTimeout:
                    if self._has_worked(_SHORT_SECONDS):
                        self._go_on()
            return self.worker.frame(asked + self._left, self._query.gone)
        except TracktwoError:
            if self.evicted:
                raise past_deadline(self._pool._limits.seconds) from None
            raise
        finally:
            self._left -= time.monotonic() - asked

    def __iter__(self) -> Iterator[bytes]:
        return self

    def whole_if_short(self) -> bytes | None:
        """All the bytes, if they are few and their end comes soon after the first; they can still be read as well.

        An error before the first byte is raised from here. What is not at its end is a long query from here on.
        """
        first = next(self, None)
        taken = [first] if first is not None else []
        while self._open and sum(map(len, taken)) < _SHORT_BYTES:
            if self.worker.has_frame(_SOON_SECONDS):
                taken += [chunk] if (chunk := next(self, None)) is not None else []
            elif self.long or self._has_worked(_SOON_SECONDS):
                break
        self._waiting.extend(taken)
        if not self._open:
            return b"".join(taken)
        if not self.long:
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
            self._pool._release(self, healthy=healthy and not self.long)

    def _has_worked(self, seconds: float) -> bool:
        """Has the query had so much of the processor, or waited for it too long?"""
        waited = time.monotonic() - self._started
        return waited > _WAITED_SECONDS or self.worker.worked_seconds() - self._worked > seconds

    def _go_on(self) -> None:
        self._pool._promote(self)
        self.worker.step_back()


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
            message,
            line=line if isinstance(line, int) else None,
            column=column if isinstance(column, int) else None,
            prefix=str(content.get("prefix") or ""),
        )
    if content["type"] == "size":
        return QueryTooBig(message)
    return StoreUnavailable(message)

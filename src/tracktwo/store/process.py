"""A query worker from our side: its process, the pipes to it, and what its end means."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tracktwo.errors import QueryTimeout, QueryTooBig, Sentence, StoreUnavailable, TracktwoError
from tracktwo.publication import Limits
from tracktwo.store.frames import HEADER, Reader, pack

SLICE_SECONDS = 0.1  # how soon a wait notices that its client has gone
_TICKS = os.sysconf("SC_CLK_TCK")
_LONG_NICENESS = 19


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


def past_deadline(seconds: float) -> QueryTimeout:
    """What a query is told that has worked for so many seconds."""
    return QueryTimeout(
        Sentence("The query ran past its deadline of %(seconds)s s and was stopped.", seconds=f"{seconds:g}")
    )


def gone_away() -> StoreUnavailable:
    """What nobody hears."""
    return StoreUnavailable("The client went away.")


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
        self._seconds, self._memory_mb = limits.seconds, limits.memory_mb
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
                raise past_deadline(self._seconds)
            if gone.is_set():
                raise gone_away()
            try:
                ended = self._reader.wait(min(remaining, SLICE_SECONDS)) and not self._reader.fill()
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
            return QueryTooBig(
                Sentence("The query needed more than its %(mb)s MB of memory and was stopped.", mb=self._memory_mb)
            )
        if code == -signal.SIGXCPU:
            return past_deadline(self._seconds)
        return StoreUnavailable(f"A query worker ended with code {code}.", hint=said)

    def end(self) -> None:
        """End the process; who reads from it notices, and kills what is left."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def kill(self) -> None:
        """End the process now and reap it."""
        self.end()
        self._process.wait()
        for pipe in (self._in, self._process.stdout, self._errors):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]  # all three were opened

"""Query workers: whatever a query does, it takes down nothing but its own process, and reaches nobody."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Built
from pyoxigraph import QueryBoolean, QueryResultsFormat, QuerySolutions, parse_query_results

from tracktwo.errors import Busy, NotAcceptable, QueryError, QueryTimeout, QueryTooBig, StoreUnavailable, TracktwoError
from tracktwo.formats import CSV, JSON, RDF_FORMATS, RESULT_FORMATS, TURTLE, Format
from tracktwo.store import Answer, Query
from tracktwo.store.pool import Pool
from tracktwo.store.process import Dialect, PoolLimits

Maker = Callable[..., Pool]

#: Runs longer than any deadline here, counts in constant memory, and answers nothing before its end.
SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(?c < ?l) }"
#: Streams far more than any limit here.
LONG = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
#: Has to hold more in memory than it may.
GREEDY = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?i ?f ?c"


@pytest.fixture
def pool_of(foreign: Built) -> Iterator[Maker]:
    """Makes pools over the foreign release, and closes them."""
    pools: list[Pool] = []

    def make(
        *,
        workers: int = 1,
        seconds: float = 20,
        queue_seconds: float = 1,
        memory_mb: int = 512,
        result_mb: int = 64,
        result_rows: int = 10_000_000,
        sockets: bool = False,
    ) -> Pool:
        limits = PoolLimits(workers, seconds, queue_seconds, memory_mb, result_mb, result_rows, sockets)
        pools.append(Pool(foreign.release.store, Dialect("https://data.pharos.example/", {}), limits))
        assert eventually(lambda: len(pools[-1]._idle) == size_of(limits), 30), "the workers did not come up"
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def size_of(limits: PoolLimits) -> int:
    """How many workers a pool has: one for each long query that it runs at once, and some for short ones."""
    return limits.workers + limits.spare_workers


def query(text: str, client: str = "", gone: threading.Event | None = None) -> Query:
    return Query(text, results=JSON, graph=TURTLE, client=client, gone=gone or threading.Event())


def works(pool: Pool, client: str = "") -> bool:
    """Does the pool answer what it should?"""
    found = parse_query_results(pool.answer(query("ASK { ?s ?p ?o }", client)).read(), format=QueryResultsFormat.JSON)
    return isinstance(found, QueryBoolean) and bool(found)


def workers_of(parent: int) -> set[int]:
    """The process ids of the query workers that a process has started."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
            command = (stat.parent / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent and fields[0] != "Z" and b"tracktwo.store.worker" in command:
            found.add(int(stat.parent.name))
    return found


def alive(pids: set[int]) -> set[int]:
    return {
        pid
        for pid in pids
        if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    }


def mine(pool: Pool, others: set[int]) -> set[int]:
    """The workers of a pool that has all of them idle, given those of others."""
    found = workers_of(os.getpid()) - others
    assert size_of(pool._limits) == len(found)
    return found


def eventually(condition: Callable[[], bool], seconds: float = 5) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


@contextlib.contextmanager
def took(least: float, most: float) -> Iterator[None]:
    start = time.monotonic()
    yield
    assert least <= time.monotonic() - start <= most


# --- the deadline ----------------------------------------------------------------------------------------------------


def test_a_query_past_its_deadline_is_killed_and_its_worker_replaced(pool_of: Maker) -> None:
    others = workers_of(os.getpid())
    pool = pool_of(seconds=1)
    before = mine(pool, others)
    with took(0.9, 4), pytest.raises(QueryTimeout):
        pool.answer(query(SLOW))
    assert len(before) - 1 == len(alive(before))
    assert works(pool)
    assert eventually(lambda: len(before) == len(workers_of(os.getpid()) - others))


def test_the_deadline_counts_planning(pool_of: Maker) -> None:
    pool = pool_of(seconds=1)
    assert works(pool)
    patterns = " ".join(f"?v{number} ?p{number} ?v{number + 1} ." for number in range(1000))
    with took(0.9, 4), pytest.raises(QueryTimeout):
        pool.answer(query(f"SELECT * {{ {patterns} }}"))
    assert works(pool)


def test_the_deadline_counts_until_the_last_byte(pool_of: Maker) -> None:
    pool = pool_of(seconds=0.5, result_mb=1024)
    answer = pool.answer(query(LONG))
    with took(0.2, 4), pytest.raises(QueryTimeout, match=r"deadline of 0\.5 s"):
        for _ in answer.chunks:
            pass
    assert works(pool)


def test_the_deadline_does_not_count_how_slowly_a_client_reads(pool_of: Maker) -> None:
    pool = pool_of(seconds=1)
    rows = 5000  # more than a pipe holds
    content = bytearray()
    started = time.monotonic()
    for chunk in pool.answer(query(f"{LONG} LIMIT {rows}")).chunks:
        content += chunk
        time.sleep(0.05)
    assert time.monotonic() - started > 1
    found = parse_query_results(bytes(content), format=QueryResultsFormat.JSON)
    assert isinstance(found, QuerySolutions)
    assert rows == len(list(found))


def test_an_answer_that_nobody_reads_keeps_no_place_beyond_the_deadline(pool_of: Maker) -> None:
    others = workers_of(os.getpid())
    pool = pool_of(workers=2, seconds=1, queue_seconds=5)
    held = {client: pool.answer(query(LONG, client)) for client in ("a", "b")}
    with took(0.3, 4):
        pool.answer(query(LONG, "a")).close()  # its own place, since it may have no other
        pool.answer(query(LONG, "c")).close()
    for answer in held.values():
        with pytest.raises(QueryTimeout):
            for _ in answer.chunks:
                pass
    assert works(pool)
    assert eventually(lambda: size_of(pool._limits) == len(workers_of(os.getpid()) - others))


def test_an_answer_that_is_read_slowly_goes_on_while_nobody_waits_for_its_place(pool_of: Maker) -> None:
    pool = pool_of(workers=2, seconds=2)
    slow = pool.answer(query(f"{LONG} LIMIT 5000", "slow"))
    chunks = iter(slow.chunks)
    size = len(next(chunks))
    time.sleep(2.2)
    pool.answer(query(LONG, "other")).close()  # there is a place for it
    assert works(pool, "third")
    assert size + sum(map(len, chunks)) > 1 << 18


# --- memory, nesting, size -------------------------------------------------------------------------------------------


def test_a_query_over_its_memory_is_killed_and_its_worker_replaced(pool_of: Maker) -> None:
    pool = pool_of(memory_mb=48)
    with pytest.raises(QueryTooBig, match="memory"):
        pool.answer(query(GREEDY)).read()
    assert works(pool)


@pytest.mark.parametrize(
    "text",
    [
        "ASK { FILTER(" + "(" * 20_000 + "1" + ")" * 20_000 + ") }",
        "SELECT (" + "IF(true, 1, " * 5_000 + "1" + ")" * 5_000 + " AS ?x) {}",
        "ASK " + "{" * 20_000 + "}" * 20_000,
        "ASK { ?s " + "(" * 20_000 + "<urn:p>" + ")*" * 20_000 + " ?o }",
        "ASK { ?s ?p " + "[ ?p " * 20_000 + "1" + "]" * 20_000 + " }",
        "ASK { FILTER(" + "!" * 50_000 + "true) }",
    ],
    ids=["parentheses", "IF", "groups", "path", "blank nodes", "not"],
)
def test_a_query_nested_deeply_is_answered_or_told_and_the_pool_lives_on(pool_of: Maker, text: str) -> None:
    pool = pool_of(seconds=3)
    try:
        pool.answer(query(text)).read()
    except (QueryError, QueryTooBig, QueryTimeout) as error:
        assert error.message
    assert works(pool)


def test_a_result_may_have_64_mb_and_no_byte_more(pool_of: Maker) -> None:
    pool = pool_of()
    size = 0
    answer = pool.answer(query(LONG))
    with pytest.raises(QueryTooBig, match="64 MB"):
        for chunk in answer.chunks:
            size += len(chunk)
    assert 63 << 20 < size <= 64 << 20
    assert works(pool)


#: Literals that look like the ends of rows in one format or another, among rows that bind nothing.
ROWS = (
    'SELECT ?a ?b { VALUES (?a ?b) { ("}},{" "x") ("[{" 1) (UNDEF UNDEF) ("a\\nb" UNDEF) ("<result>" "},{\\"z") } '
    "VALUES ?c { 1 2 3 4 5 6 7 8 9 10 } VALUES ?d { 1 2 3 4 5 6 7 8 9 10 } VALUES ?e { 1 2 3 4 } }"
)


@pytest.mark.parametrize("format_", RESULT_FORMATS, ids=lambda row: row.name)
def test_a_result_may_have_so_many_rows_and_no_more(pool_of: Maker, format_: Format) -> None:
    rows = 1600 if format_ is JSON else 2000  # those of JSON that bind nothing are not counted
    asked = replace(query(ROWS), results=format_)
    whole = pool_of(result_rows=rows).answer(asked).read()
    if format_ is not CSV:
        found = parse_query_results(whole, format=format_.results)
        assert isinstance(found, QuerySolutions)
        assert 2000 == len(list(found))
    with pytest.raises(QueryTooBig, match=f"over {rows - 1} rows"):
        pool_of(result_rows=rows - 1).answer(asked).read()


def test_a_graph_may_have_so_many_triples_and_no_more(pool_of: Maker) -> None:
    asked = query("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o } LIMIT 500")
    for format_ in RDF_FORMATS:
        assert len(pool_of(result_rows=500).answer(replace(asked, graph=format_)).read()) > 500
        with pytest.raises(QueryTooBig, match="over 499 rows"):
            pool_of(result_rows=499).answer(replace(asked, graph=format_)).read()


def test_a_format_that_does_not_serve_costs_no_worker(pool_of: Maker) -> None:
    pool = pool_of()
    before = workers_of(os.getpid())
    for _ in range(5):
        with pytest.raises(NotAcceptable):
            pool.answer(replace(query("SELECT * { ?s ?p ?o }"), results=None))
    assert before == workers_of(os.getpid())
    assert works(pool)


def test_a_function_that_the_engine_lacks_is_the_querys_fault(pool_of: Maker) -> None:
    with pytest.raises(QueryError, match="function"):
        pool_of().answer(query("SELECT (<http://example.org/f>(1) AS ?x) {}"))


def test_a_query_text_of_a_megabyte_arrives(pool_of: Maker) -> None:
    pool = pool_of()
    assert b"true" in pool.answer(query("ASK {} #" + "x" * (1 << 20))).read()


# --- reaching out ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """Somebody who listens on loopback: the URL, and the first bytes of each connection that came."""
    came: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                came.append(connection.recv(100))
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/sparql-results+json\r\n"
                    b"Content-Length: 61\r\nConnection: close\r\n\r\n"
                )
                connection.sendall(b'{"head":{"vars":["x"]},"results":{"bindings":[{}          ]}}')

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/sparql", came
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


@pytest.mark.parametrize("call", ["SERVICE", "SERVICE SILENT"])
@pytest.mark.parametrize("rest", ["{ ?x ?y ?z }", "{ SELECT * { ?x ?y ?z } }"])
def test_a_query_cannot_open_a_socket_whatever_its_text(pool_of: Maker, call: str, rest: str) -> None:
    pool = pool_of()
    with listener() as (url, came):
        try:
            pool.answer(query(f"SELECT * {{ {call} <{url}> {rest} }}")).read()
        except StoreUnavailable:
            pass
        else:
            assert "SERVICE SILENT" == call
        assert [] == came
    assert works(pool)


def test_a_query_cannot_open_a_socket_to_a_name(pool_of: Maker) -> None:
    pool = pool_of()
    with listener() as (url, came):
        with pytest.raises(StoreUnavailable):
            pool.answer(
                query(f"SELECT * {{ SERVICE <{url.replace('127.0.0.1', 'localhost')}> {{ ?x ?y ?z }} }}")
            ).read()
        assert [] == came
    assert works(pool)


def test_the_listener_of_these_tests_hears_a_worker_that_may_open_sockets(pool_of: Maker) -> None:
    pool = pool_of(sockets=True)
    with listener() as (url, came):
        assert b"bindings" in pool.answer(query(f"SELECT * {{ SERVICE <{url}> {{ ?x ?y ?z }} }}")).read()
        assert [b"POST /sparql"] == [first[:12] for first in came]


def test_a_worker_that_may_not_reach_out_still_reads_the_whole_store(pool_of: Maker) -> None:
    pool = pool_of()
    for _ in range(3):
        assert b'"963"' in pool.answer(query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")).read()


# --- many at once ----------------------------------------------------------------------------------------------------


def test_one_client_cannot_run_all_the_long_queries(pool_of: Maker) -> None:
    pool = pool_of(workers=2, queue_seconds=0.5)
    held = pool.answer(query(LONG, "greedy"))
    with took(0.4, 3), pytest.raises(Busy) as caught:
        pool.answer(query(LONG, "greedy"))
    assert caught.value.retry_after >= 1
    modest = pool.answer(query(LONG, "modest"))
    assert next(iter(modest.chunks))
    held.close()
    modest.close()
    pool.answer(query(LONG, "greedy")).close()


def test_when_all_places_are_taken_a_long_query_waits_briefly_and_is_told(pool_of: Maker) -> None:
    pool = pool_of(workers=2, queue_seconds=0.5)
    first, second = pool.answer(query(LONG, "a")), pool.answer(query(LONG, "b"))
    with took(0.4, 3), pytest.raises(Busy):
        pool.answer(query(LONG, "c"))
    first.close()
    third = pool.answer(query(LONG, "c"))
    assert next(iter(third.chunks))
    second.close()
    third.close()


def test_long_queries_do_not_keep_short_ones_waiting(pool_of: Maker) -> None:
    pool = pool_of(workers=2, queue_seconds=5)
    held = [pool.answer(query(LONG, client)) for client in ("a", "b")]
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(pool.answer, query(SLOW, client)) for client in ("c", "d")]
        with took(0, 3):
            assert [True] * 10 == [works(pool, f"client {number}") for number in range(10)]
        for answer in held:
            answer.close()
        pool.close()
        assert [True, True] == [isinstance(future.exception(), TracktwoError) for future in waiting]


def test_a_long_query_that_waits_begins_once_a_place_is_free(pool_of: Maker) -> None:
    pool = pool_of(workers=1, queue_seconds=10)
    held = pool.answer(query(LONG, "a"))
    timer = threading.Timer(0.5, held.close)
    timer.start()
    with took(0.4, 5):
        answer = pool.answer(query(LONG, "b"))
    assert next(iter(answer.chunks))
    answer.close()
    timer.join()


def test_a_pool_of_one_worker_serves_one_client(pool_of: Maker) -> None:
    pool = pool_of(workers=1)
    assert works(pool, "alone")
    assert works(pool, "alone")


def test_many_threads_get_their_own_answers(pool_of: Maker) -> None:
    pool = pool_of(workers=3, queue_seconds=20)

    def ask(number: int) -> bool:
        return f'"{number}"'.encode() in pool.answer(query(f"SELECT ({number} AS ?n) {{}}", f"client {number}")).read()

    with ThreadPoolExecutor(12) as threads:
        assert [True] * 150 == list(threads.map(ask, range(150)))


def test_queries_that_fail_leave_no_worker_behind(pool_of: Maker) -> None:
    others = workers_of(os.getpid())
    pool = pool_of(workers=2)
    before = mine(pool, others)
    for text in ("syntax error", "ASK {", "CONSTRUCT WHERE { ?s ?p ?o }", "SELECT * { ?s unknown:x ?o }"):
        with pytest.raises((QueryError, NotAcceptable)):
            pool.answer(Query(text, results=CSV))
    assert works(pool)
    assert eventually(lambda: len(before) == len(workers_of(os.getpid()) - others))


# --- clients that go, workers that die -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [SLOW, LONG], ids=["before the first byte", "in the middle"])
def test_a_client_that_goes_stops_its_query(pool_of: Maker, text: str) -> None:
    others = workers_of(os.getpid())
    pool = pool_of()
    before = mine(pool, others)
    gone = threading.Event()
    timer = threading.Timer(0.5, gone.set)
    timer.start()
    with took(0.3, 4), pytest.raises(TracktwoError, match="client"):
        for _ in pool.answer(query(text, gone=gone)).chunks:
            time.sleep(0.01)
    timer.join()
    assert len(before) - 1 == len(alive(before))
    assert works(pool)


def test_an_answer_left_unread_stops_its_query(pool_of: Maker) -> None:
    others = workers_of(os.getpid())
    pool = pool_of()
    before = mine(pool, others)
    answer: Answer = pool.answer(query(LONG))
    assert next(iter(answer.chunks))
    answer.close()
    answer.close()
    assert len(before) - 1 == len(alive(before))
    assert works(pool)


def test_workers_that_died_on_their_own_are_not_laid_to_the_next_queries(pool_of: Maker) -> None:
    others = workers_of(os.getpid())
    pool = pool_of(queue_seconds=10)
    before = mine(pool, others)
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    assert eventually(lambda: not alive(before))
    for number in range(len(before)):
        with contextlib.suppress(StoreUnavailable):  # fair to say, but never that the query was too big
            assert works(pool, f"client {number}")
    assert works(pool)


def test_the_workers_end_when_the_pool_closes(pool_of: Maker) -> None:
    others = workers_of(os.getpid())
    pool = pool_of(workers=3)
    before = mine(pool, others)
    busy = pool.answer(query(LONG))
    pool.close()
    assert set() == alive(before)
    with pytest.raises(TracktwoError):
        list(busy.chunks)
    assert eventually(lambda: not workers_of(os.getpid()) - others)


def test_a_pool_that_is_closed_answers_no_more(pool_of: Maker) -> None:
    pool = pool_of(queue_seconds=0.2)
    pool.close()
    pool.close()
    with pytest.raises(TracktwoError):
        pool.answer(query("ASK {}"))


PARENT = """\
import sys, threading
from pathlib import Path
from tracktwo.formats import JSON
from tracktwo.store import Query
from tracktwo.store.pool import Pool
from tracktwo.store.process import Dialect, PoolLimits

pool = Pool(Path(sys.argv[1]), Dialect("http://example.org/", {}), PoolLimits(3, 60, 30, 512, 64, 1000))
pool.answer(Query("ASK {}", results=JSON)).read()
threading.Thread(target=lambda: pool.answer(Query(sys.argv[2], results=JSON, client="a")), daemon=True).start()
held = pool.answer(Query(sys.argv[3], results=JSON, client="b"))
print("up", flush=True)
sys.stdin.read()
"""


def test_the_workers_end_when_their_parent_is_killed(foreign: Built) -> None:
    command = [sys.executable, "-c", PARENT, str(foreign.release.store), SLOW, LONG]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert b"up\n" == parent.stdout.readline()
        size = size_of(PoolLimits(3, 60, 1, 512, 64, 1000))
        assert eventually(lambda: size == len(workers_of(parent.pid)))
        workers = workers_of(parent.pid)
        time.sleep(0.3)  # let the slow query begin
        parent.kill()
        parent.wait()
    try:
        assert eventually(lambda: not alive(workers)), "idle, streaming and computing workers all end"
    finally:
        for worker in alive(workers):
            os.kill(worker, signal.SIGKILL)


# --- what comes back -------------------------------------------------------------------------------------------------


def test_a_short_answer_comes_whole_and_can_be_read_too(pool_of: Maker) -> None:
    pool = pool_of()
    works(pool)
    answer = pool.answer(query("ASK {}"))
    content = answer.read()
    assert b"true" in content
    assert answer.whole in (content, None)
    assert works(pool)


def test_an_error_has_line_and_column(pool_of: Maker) -> None:
    with pytest.raises(QueryError) as caught:
        pool_of().answer(query("SELECT *\nWHERE { }\n surplus"))
    assert 3 == caught.value.line
    assert str(caught.value).startswith(f"line 3, column {caught.value.column}: ")


def test_control_characters_and_surrogates_in_a_text_are_told(pool_of: Maker) -> None:
    pool = pool_of()
    for text in ("\x00", "ASK { ?s ?p '\ud800' }", "\ufeffASK {}"):
        with pytest.raises((QueryError, StoreUnavailable)):
            pool.answer(query(text)).read()
    assert works(pool)

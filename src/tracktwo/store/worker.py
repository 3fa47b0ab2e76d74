"""A query worker: a process of its own that runs one query after another on a read-only store.

It limits its memory, gives up the right to open files and sockets once the store is open, and ends with its parent.
"""

import functools
import io
import json
import os
import re
import resource
import select
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import pyoxigraph as ox

from tracktwo.formats import CSV, RDF_FORMATS, RDF_XML, RESULT_FORMATS, XML, named
from tracktwo.querytext import graphs_in, has_star, spelt_out, star_replaced
from tracktwo.store import BINDINGS, BOOLEAN, GRAPH, fault
from tracktwo.store.frames import DATA, END, ERROR, HEADER, Reader, pack
from tracktwo.store.rows import RowCount, TooManyRows, as_csv, at_most
from tracktwo.terms import in_graph

_CHUNK_BYTES = 1 << 15
_MB = 1 << 20
_RECYCLE_MB = 256  # a worker that has grown by this is replaced after its query


class _Full(Exception):
    """The result has more bytes than it may have."""


class _Frames(io.RawIOBase, BinaryIO):
    """A file that turns what is written into data frames. The engine writes 8 kB at a time, the rest at the end.

    With `xml`, a carriage return is written as a reference: the engine leaves it bare, and XML would read a line feed
    (XML 1.0 section 2.11).
    """

    def __init__(self, out: BinaryIO, limit: int) -> None:
        self._out, self._left = out, limit
        self.xml = False
        self.rows_left = 0
        self.counted: RowCount | None = None  # where the engine writes the rows by itself
        self._first = True  # the first bytes leave at once, later ones in larger pieces
        self._buffer = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise _Full
        if self.counted:
            self.counted.add(bytes(data))
            if self.counted.rows > self.rows_left:
                raise TooManyRows
        self._buffer += bytes(data).replace(b"\r", b"&#xD;") if self.xml else data
        if self._first or len(self._buffer) >= _CHUNK_BYTES:
            self._first = False
            self.flush()
        return len(data)

    def flush(self) -> None:
        if self._buffer:
            self._out.write(pack(DATA, bytes(self._buffer)))
            self._out.flush()
            self._buffer.clear()


def main() -> None:
    """Open the store, take precautions, then answer requests until the parent hangs up."""
    setup = json.loads(sys.argv[1])
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing but frames may reach the pipe
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _allow_files()
    store = ox.Store.read_only(setup["store"])
    _limit_memory(setup["memory_mb"])
    if not setup["sockets"]:
        _forbid_descriptors()
    _send(out, HEADER, {"ready": True})
    reader = Reader(0)
    while request := _next(reader):
        _limit_time(request["seconds"])
        _answer(store, setup, request, out)


def _end_with_parent() -> None:
    """End when the other side of standard input closes, also in the middle of a query."""
    poll = select.poll()
    poll.register(0, 0)
    poll.poll()
    os._exit(0)


def _limit_memory(memory_mb: int) -> None:
    """Allow so much more address space than the process has with its store open."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = now + memory_mb * _MB
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time(seconds: float) -> None:
    """A second line of defence: processor time for this query, should the parent not be there to kill us."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime + 4 * seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _allow_files() -> None:
    """Let the engine open all files of a large store at once, since it can open none later."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _forbid_descriptors() -> None:
    """Have the kernel refuse new file descriptors, and so every socket, for good: no query can reach out.

    POSIX, setrlimit: a call that would make a descriptor fails with EMFILE. The descriptors that are open stay so.
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _next(reader: Reader) -> dict[str, Any] | None:
    while (frame := reader.next()) is None:
        if not reader.fill():
            return None
    content: dict[str, Any] = json.loads(frame[1])
    return content


def _answer(store: ox.Store, setup: Mapping[str, Any], request: Mapping[str, Any], out: BinaryIO) -> None:
    sink = _Frames(out, setup["result_mb"] * _MB)
    sink.rows_left = setup["result_rows"]
    before = _peak_mb()
    try:
        results = _run(store, setup["prefixes"], setup["base_iri"], request)
        kind = _kind(results)
        wanted = request["graph"] if kind == GRAPH else request["results"]
        _send(out, HEADER, {"kind": kind})
        if wanted is not None:
            _write(results, kind, wanted, sink)
        sink.flush()
        _send(out, END, {"recycle": _peak_mb() - before > _RECYCLE_MB})
    except SyntaxError as error:
        _send(out, ERROR, _syntax(error, setup, request["text"]))
    except _Full:
        _send(out, ERROR, {"type": "size", "message": f"The result is over {setup['result_mb']} MB and was stopped."})
    except TooManyRows:
        _send(out, ERROR, {"type": "size", "message": f"The result has over {sink.rows_left} rows and was stopped."})
    except RuntimeError as error:
        lacking = re.search(r"custom function .* is not supported", str(error))
        _send(out, ERROR, {"type": "query" if lacking else "store", "message": str(error)})
    except (ValueError, OSError) as error:
        _send(out, ERROR, {"type": "store", "message": str(error)})


def _run(store: ox.Store, prefixes: dict[str, str], base_iri: str, request: Mapping[str, Any]) -> Any:
    text, _ = spelt_out(request["text"])
    parse = functools.partial(ox.Store.query, prefixes=prefixes, base_iri=base_iri)
    text = _in_order(text, parse)
    default, named_graphs = _dataset(request, text, prefixes, base_iri)
    if default is None and named_graphs is None:
        return parse(store, text)
    if default is not None and len(default) > 1:
        store, default = _merged(store, default, named_graphs or ()), None
    else:
        default = default or []
    names: list[ox.NamedNode | ox.BlankNode] = [ox.NamedNode(iri) for iri in named_graphs or ()]
    graphs: Any = ox.DefaultGraph() if default is None else [ox.NamedNode(iri) for iri in default]
    return parse(store, text, default_graph=graphs, named_graphs=names)


def _in_order(text: str, parse: Callable[..., Any]) -> str:
    """The query with the variables that `SELECT *` stands for in the order in which they come; the engine sorts them.

    Which they are the engine tells: joined with no rows, the query is parsed and planned, and nothing is evaluated.
    """
    if not has_star(text):
        return text
    try:
        found = parse(ox.Store(), f"{text}\nVALUES () {{}}").variables
    except SyntaxError:  # a fault, which is told later, or VALUES stands there already
        return text
    return star_replaced(text, [variable.value for variable in found])


def _dataset(
    request: Mapping[str, Any], text: str, prefixes: Mapping[str, str], base_iri: str
) -> tuple[list[str] | None, list[str] | None]:
    """The default and named graphs that the protocol names, else those of FROM clauses where they name several."""
    if request["default_graphs"] is not None or request["named_graphs"] is not None:
        return request["default_graphs"] or [], request["named_graphs"] or []
    default, named_graphs = graphs_in(text, prefixes, base_iri)
    return (default, named_graphs) if len(default) > 1 else (None, None)


def _merged(store: ox.Store, default: Sequence[str], named_graphs: Sequence[str]) -> ox.Store:
    """A store in memory whose default graph is the merge of some graphs, beside the named ones.

    The engine itself answers a merge as a bag, where a triple of two graphs counts twice.
    """
    merged = ox.Store()
    triples = (quad.triple for iri in default for quad in store.quads_for_pattern(None, None, None, ox.NamedNode(iri)))
    merged.bulk_extend(in_graph(triple) for triple in triples)
    for iri in named_graphs:
        merged.bulk_extend(store.quads_for_pattern(None, None, None, ox.NamedNode(iri)))
    return merged


def _kind(results: Any) -> str:
    if isinstance(results, ox.QueryBoolean):
        return BOOLEAN
    return BINDINGS if isinstance(results, ox.QuerySolutions) else GRAPH


def _write(results: Any, kind: str, wanted: str, sink: _Frames) -> None:
    format_ = named(wanted, RDF_FORMATS if kind == GRAPH else RESULT_FORMATS)
    assert format_ is not None
    sink.xml = format_ in (XML, RDF_XML)
    if kind == BINDINGS and format_ is CSV:
        for rows in as_csv(results, sink.rows_left):
            sink.write(rows)
    elif kind == BINDINGS:
        sink.counted = RowCount(format_.name)
        results.serialize(sink, format_.results)
    elif kind == BOOLEAN:
        results.serialize(sink, format_.results)
    else:
        ox.serialize(at_most(sink.rows_left, results), sink, format=format_.rdf)


def _syntax(error: SyntaxError, setup: Mapping[str, Any], text: str) -> dict[str, Any]:
    """What is wrong, and where."""

    def parse(tried: str) -> str:
        try:
            ox.Store().query(tried, prefixes=setup["prefixes"], base_iri=setup["base_iri"])
        except SyntaxError as refused:
            return str(refused.msg)
        except (ValueError, OSError, RuntimeError):
            pass  # it was understood
        return ""

    return {"type": "query"} | asdict(fault.find(text, error.msg, setup["prefixes"], parse))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _send(out: BinaryIO, kind: bytes, content: Mapping[str, Any]) -> None:
    out.write(pack(kind, json.dumps(content).encode()))
    out.flush()


if __name__ == "__main__":
    main()

"""Dumps: the whole dataset in each format, sorted and compressed, the same bytes each time, checksums beside them."""

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, Store

from tracktwo.formats import JSON_LD, N_QUADS, N_TRIPLES, TRIG, TURTLE, Format
from tracktwo.namespaces import RDF
from tracktwo.publication import Publication
from tracktwo.serialise import serialised
from tracktwo.terms import in_graph, skolem

#: What the dump folder offers, the simplest to read first.
DUMPS: tuple[Format, ...] = (TURTLE, N_TRIPLES, TRIG, N_QUADS, JSON_LD)


@dataclass(frozen=True)
class DumpFile:
    """One file of the dump folder: name, media type of what is inside the gzip, bytes, SHA-256 in hex."""

    name: str
    media_type: str
    size: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def write(folder: Path, quads: Sequence[Quad], prefixes: Mapping[str, str], pretty_limit: int) -> list[DumpFile]:
    """Write every dump of the named graphs' quads; each checksum stands in `NAME.sha256`, as `sha256sum` checks it."""
    folder.mkdir()
    return [_write_one(folder, format_, quads, prefixes, pretty_limit) for format_ in DUMPS]


def _write_one(
    folder: Path, format_: Format, quads: Sequence[Quad], prefixes: Mapping[str, str], pretty_limit: int
) -> DumpFile:
    path = folder / f"dataset.{format_.suffix}.gz"
    content = serialised(format_, quads, prefixes, pretty=len(quads) <= pretty_limit)
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
        packed.write(content)
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    Path(f"{path}.sha256").write_text(f"{digest}  {path.name}\n", encoding="ascii")
    return DumpFile(path.name, format_.media_type, len(data), digest)


def select(store: Path, graphs: Sequence[str], classes: Sequence[str]) -> list[Quad]:
    """The quads of a release's store: all, or those of some graphs, or about members of some classes."""
    opened = Store.read_only(str(store))
    quads = (quad for quad in opened if quad.graph_name != DefaultGraph())
    if graphs:
        quads = (quad for graph in graphs for quad in opened.quads_for_pattern(None, None, None, NamedNode(graph)))
    if not classes:
        return list(quads)
    members = {
        quad.subject for class_ in classes for quad in opened.quads_for_pattern(None, RDF.type, NamedNode(class_))
    }
    return [quad for quad in quads if quad.subject in members]


def about(store: Path, iri: str) -> list[Quad]:
    """What a release's store says about one IRI, blank nodes included to any depth."""
    opened = Store.read_only(str(store))
    wanted: list[NamedNode | BlankNode] = [NamedNode(iri)]
    seen, quads = set(wanted), []
    while wanted:
        found = [
            quad for quad in opened.quads_for_pattern(wanted.pop(), None, None) if quad.graph_name != DefaultGraph()
        ]
        quads += found
        fresh = {quad.object for quad in found if isinstance(quad.object, BlankNode)} - seen
        seen |= fresh
        wanted += fresh
    return quads


def for_remote_store(quads: Sequence[Quad], publication: Publication) -> list[Quad]:
    """Quads for a store that has no default graph of ours: the merge as one graph more, IRIs for blank nodes."""
    merged = NamedNode(publication.merged_graph)
    prefix = publication.skolem_prefix
    named_quads = [
        Quad(skolem(quad.subject, prefix), quad.predicate, skolem(quad.object, prefix), quad.graph_name)
        for quad in quads
    ]
    return [*named_quads, *(in_graph(triple, merged) for triple in {quad.triple for quad in named_quads})]

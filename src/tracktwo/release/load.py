"""Read a publication's folders into one dataset: each file a named graph, blank nodes named canonically."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Store,
    Triple,
    parse,
)

from tracktwo.errors import InputError
from tracktwo.namespaces import OWL, RDF
from tracktwo.publication import FILE_NAME, Publication
from tracktwo.release import places
from tracktwo.terms import in_graph, name_of

#: File endings that pyoxigraph's registry lacks.
_OTHER_ENDINGS = {"owl": RdfFormat.RDF_XML, "xml": RdfFormat.RDF_XML, "json": RdfFormat.JSON_LD}


@dataclass(frozen=True)
class SourceFile:
    """One input file: where it lies, which folder's role it has, and the named graphs that it alone fills."""

    path: Path
    role: str
    graphs: tuple[str, ...]


@dataclass(frozen=True)
class Input:
    """All that was read: files in order of their paths, their quads, and what the reader should know."""

    files: Sequence[SourceFile]
    quads: Sequence[Quad]
    warnings: Sequence[str]

    def of(self, role: str) -> Iterator[Quad]:
        """The quads of the folder with the role `ontology`, `data` or `shapes`."""
        graphs = {graph for file in self.files if file.role == role for graph in file.graphs}
        return (quad for quad in self.quads if name_of(quad.graph_name) in graphs)

    @property
    def owner(self) -> dict[str, SourceFile]:
        """The file that holds each graph."""
        return {graph: file for file in self.files for graph in file.graphs}


def fingerprint(publication: Publication) -> str:
    """SHA-256 over the names and bytes of everything that a release is made from."""
    digest = hashlib.sha256()
    for path in [publication.root / FILE_NAME, *(path for _, path in _listed(publication))]:
        digest.update(f"{path.relative_to(publication.root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def read(publication: Publication) -> Input:
    """Parse every RDF file of the folders.

    Raises `InputError` naming file, line, column and what was expected, or the folder that holds nothing.
    """
    warnings: list[str] = []
    files: list[SourceFile] = []
    quads: list[Quad] = []
    for role, path in _listed(publication):
        rdf = format_of(path)
        if rdf is not None:
            found = _read_file(publication, role, path, rdf)
            files.append(SourceFile(path, role, tuple(dict.fromkeys(name_of(quad.graph_name) for quad in found))))
            quads += found
        elif role == "data" or path.suffix not in (".rq", ".tsv", ".md"):
            warnings.append(f"{path}: not an RDF file that we know by its ending; left out")
    _check_roles(publication, files)
    _check_graphs(publication, files)
    normal, changed = _with_normal_literals(files, _with_canonical_blank_nodes(quads))
    return Input(files, normal, [*warnings, *_tag_warnings(files), *changed])


def format_of(path: Path) -> RdfFormat | None:
    """The RDF syntax that a file name's ending stands for."""
    ending = path.suffix.removeprefix(".").lower()
    if ending == "txt":  # the registry's N-Triples; here it is a note to people
        return None
    return RdfFormat.from_extension(ending) or _OTHER_ENDINGS.get(ending)


def _listed(publication: Publication) -> list[tuple[str, Path]]:
    """(role, file) of all files below the folders, in order; hidden ones left out."""
    listed = []
    for role, folder in publication.folders.items():
        paths = (path for path in folder.rglob("*") if path.is_file())
        listed += [
            (role, path)
            for path in sorted(paths)
            if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        ]
    return listed


def _read_file(publication: Publication, role: str, path: Path, rdf: RdfFormat) -> list[Quad]:
    """One parsed file. Its graph: the one ontology under the base that it declares, else the file's own name."""
    fallback = publication.graph_iri(path.stem)
    quads = _parsed(path, rdf, fallback)
    declared = {
        quad.subject.value
        for quad in quads
        if quad.predicate == RDF.type and quad.object == OWL.Ontology and isinstance(quad.subject, NamedNode)
    }
    ours = [iri for iri in declared if iri.startswith(publication.base_iri)]
    graph = NamedNode(ours[0] if role != "data" and len(ours) == 1 else fallback)
    return list(
        dict.fromkeys(quad if quad.graph_name != DefaultGraph() else in_graph(quad.triple, graph) for quad in quads)
    )


def _parsed(path: Path, rdf: RdfFormat, base_iri: str) -> list[Quad]:
    try:
        quads = list(parse(path=str(path), format=rdf, base_iri=base_iri, rename_blank_nodes=True))
    except SyntaxError as error:
        raise InputError(_syntax_message(path, error)) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}") from error
    for quad in quads:
        _check_quad(path, quad)
    return quads


def _check_quad(path: Path, quad: Quad) -> None:
    """RDF 1.1 is what is published: no triples as terms, no base direction; and a graph needs a name to be a source."""
    if isinstance(quad.object, Triple) or (isinstance(quad.object, Literal) and quad.object.direction is not None):
        raise InputError(f"{path}: {quad.object} is RDF 1.2, which is not published yet")
    if isinstance(quad.graph_name, BlankNode):
        raise InputError(f"{path}: a named graph has a blank node for its name", hint="Give the graph an IRI.")


def _syntax_message(path: Path, error: SyntaxError) -> str:
    """`file:line:column: what was expected`, the line itself, and a mark under the place."""
    message = re.sub(
        r"^Parser error at line \d+ (?:between columns \d+ and \d+|column \d+|between .*?): ", "", error.msg
    )
    if error.lineno is None:
        return f"{path}: {message}"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    shown = lines[error.lineno - 1] if error.lineno <= len(lines) else ""
    column = error.offset or 1
    return f"{path}:{error.lineno}:{column}: {message}\n    {shown}\n    {' ' * (column - 1)}^"


def _check_roles(publication: Publication, files: Sequence[SourceFile]) -> None:
    for role, folder in publication.folders.items():
        if not any(file.role == role for file in files):
            raise InputError(
                f"{folder} holds no RDF file", hint=f"The setting “folders.{role}” in {FILE_NAME} names the folder."
            )


def _check_graphs(publication: Publication, files: Sequence[SourceFile]) -> None:
    """One graph, one file: two files must not claim the same one, or a statement's source would be unclear."""
    reserved = {publication.inferred_graph, publication.merged_graph}
    owner: dict[str, Path] = {}
    for file in files:
        for graph in file.graphs:
            if graph in reserved:
                raise InputError(f"{file.path}: the graph <{graph}> is made by the build", hint="Rename the file.")
            other = owner.setdefault(graph, file.path)
            if other != file.path:
                raise InputError(
                    f"{file.path} and {other} would both hold the graph <{graph}>",
                    hint="Rename one of the files, or its graph.",
                )


def _with_canonical_blank_nodes(quads: Sequence[Quad]) -> list[Quad]:
    """Name blank nodes by RDFC-1.0, so that the same input has the same names each time.

    Quads without blank nodes take no part in the algorithm (RDFC-1.0 section 4.4), so only the others go through it.
    """
    dataset = Dataset(quad for quad in quads if _blank(quad))
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return [quad for quad in quads if not _blank(quad)] + sorted(dataset, key=str)


def _blank(quad: Quad) -> bool:
    return (
        isinstance(quad.subject, BlankNode)
        or isinstance(quad.object, BlankNode)
        or isinstance(quad.graph_name, BlankNode)
    )


def _with_normal_literals(files: Sequence[SourceFile], quads: Sequence[Quad]) -> tuple[list[Quad], list[str]]:
    """Write literals as the store will hold them, with a warning for each that changes."""
    stored = _stored_forms({quad.object for quad in quads if isinstance(quad.object, Literal)})
    if not stored:
        return list(quads), []
    owner = {graph: file.path for file in files for graph in file.graphs}
    written = dict.fromkeys((owner[name_of(quad.graph_name)], quad.object) for quad in quads if quad.object in stored)
    warnings = [
        f"{path}:{places.literal_line(path, literal)}: the literal {literal} is stored as {stored[literal]}"
        for path, literal in written
        if isinstance(literal, Literal)
    ]
    normal = (
        Quad(quad.subject, quad.predicate, stored[quad.object], quad.graph_name)
        if isinstance(quad.object, Literal) and quad.object in stored
        else quad
        for quad in quads
    )
    return list(dict.fromkeys(normal)), warnings


def _stored_forms(literals: Iterable[Literal]) -> dict[Literal, Literal]:
    """Those literals that the store rewrites when it loads them, each with its new form."""
    numbered = dict(enumerate(literals))
    store = Store()
    store.bulk_extend(Quad(NamedNode(f"urn:{number}"), RDF.value, literal) for number, literal in numbered.items())
    kept = {int(quad.subject.value[4:]): quad.object for quad in store if isinstance(quad.subject, NamedNode)}
    return {
        literal: kept[number]
        for number, literal in numbered.items()
        if kept[number] != literal and isinstance(kept[number], Literal)
    }


def _tag_warnings(files: Sequence[SourceFile]) -> list[str]:
    """A warning for each language tag written in upper case: parsing made it lower case (RFC 5646 section 2.1.1)."""
    spelt = ((file.path, line, tag) for file in files for line, tag in places.tags(file.path))
    return [
        f"{path}:{line}: the language tag @{tag} is stored as @{tag.lower()}"
        for path, line, tag in spelt
        if tag != tag.lower()
    ]

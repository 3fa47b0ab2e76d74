"""Turtle and TriG for people: sorted, prefixed, nested, the same bytes for the same triples.

Three doors: `write_turtle` and `write_trig` write terms, `format_turtle` lays out a hand-written file anew.
Blank nodes that are used once are written where they are used. Nesting is unbounded and costs no Python
stack: a nested node is a generator, and `_flatten` keeps the open generators on a list of its own.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias, Union

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Triple,
    parse,
)

Node: TypeAlias = NamedNode | BlankNode
Term: TypeAlias = NamedNode | BlankNode | Literal | Triple
_Properties: TypeAlias = dict[NamedNode, dict[Term, None]]
_Piece: TypeAlias = Union[str, Iterator["_Piece"]]  # noqa: UP007  # "|" can't join a type and a name in quotes
_Key: TypeAlias = tuple[int | str, ...]

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_DCTERMS = "http://purl.org/dc/terms/"
_XSD = "http://www.w3.org/2001/XMLSchema#"

_TYPE = NamedNode(_RDF + "type")
_FIRST = NamedNode(_RDF + "first")
_REST = NamedNode(_RDF + "rest")
_NIL = NamedNode(_RDF + "nil")

#: Written before all others, in this order.
_LEADING = (
    _RDF + "type",
    _RDFS + "label",
    _SKOS + "prefLabel",
    _SKOS + "altLabel",
    _SKOS + "definition",
    _DCTERMS + "title",
    _DCTERMS + "description",
    _RDFS + "comment",
)

#: Lexical forms that Turtle reads as this datatype without being told (Turtle 1.1 section 2.5.2).
_SHORTHAND = {
    _XSD + "boolean": re.compile(r"true|false"),
    _XSD + "integer": re.compile(r"[+-]?[0-9]+"),
    _XSD + "decimal": re.compile(r"[+-]?[0-9]+\.[0-9]+"),
    _XSD + "double": re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+"),
}

_INDENT = 4
_DEEPEST = 40  # levels that are still indented further: a chain of 100,000 nodes must not fill a disk with spaces
_LINE = 80  # characters of a list that still stands on one line
_UNNUMBERED = 1 << 62


# --- IRIs -------------------------------------------------------------------------------------------------------


def is_local_name(text: str) -> bool:
    """May this stand behind a prefix without an escape, in Turtle and SPARQL alike?"""
    return _LOCAL.fullmatch(text) is not None


# PN_CHARS of Turtle 1.1, but no colons, percents or escapes: what every reader agrees on.
_LETTER = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_CHAR = _LETTER + "0-9_\u00b7\u0300-\u036f\u203f-\u2040-"
_LOCAL = re.compile(f"[{_LETTER}0-9_](?:[{_CHAR}.]*[{_CHAR}])?")
_PREFIX = re.compile(f"(?:[{_LETTER}](?:[{_CHAR}.]*[{_CHAR}])?)?")
_FORBIDDEN = re.compile(r'[\x00-\x20<>"{}|^`\\]')  # in IRIREF

_BASE_FOLDER = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+/(?:[^?#]*/)?")
_BELOW_FOLDER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*[/#]?")
_IN_DOCUMENT = re.compile(r"(?:#[A-Za-z0-9_-]*)?")


class _Names:
    """IRIs as Turtle writes them: a CURIE where a prefix fits, else relative to `base`, else in full."""

    def __init__(self, prefixes: Mapping[str, str], base: str | None = None) -> None:
        self._namespaces: dict[str, str] = {}
        for prefix in sorted(prefixes, reverse=True):  # of two names for one namespace, the first wins
            if not _PREFIX.fullmatch(prefix):
                raise ValueError(f"{prefix!r} can't be a prefix in Turtle")
            self._namespaces[NamedNode(prefixes[prefix]).value] = prefix
        # A safe local name has neither "/" nor "#", so a namespace that ends in one is found by cutting there.
        # The others (urn:isbn:, http://.../BFO_) are longer than that cut whenever both fit: they go first.
        odd = (namespace for namespace in self._namespaces if namespace[-1] not in "/#")
        self._odd = sorted(odd, key=len, reverse=True)
        self._base = _Base(base) if base is not None else None
        self._cache: dict[NamedNode, str] = {}
        self._used: set[str] = set()
        self._based = False

    def __getitem__(self, iri: NamedNode) -> str:
        text = self._cache.get(iri)
        if text is None:
            text = self._cache[iri] = self._curie(iri.value) or self._relative(iri.value) or _full(iri.value)
        return text

    def _curie(self, iri: str) -> str | None:
        cut = max(iri.rfind("#"), iri.rfind("/")) + 1
        for namespace in (*(odd for odd in self._odd if iri.startswith(odd)), iri[:cut]):
            local = iri[len(namespace) :]
            if namespace in self._namespaces and _LOCAL.fullmatch(local):
                self._used.add(namespace)
                return f"{self._namespaces[namespace]}:{local}"
        return None

    def _relative(self, iri: str) -> str | None:
        reference = self._base.reference(iri) if self._base else None
        if reference is None:
            return None
        self._based = True
        return f"<{reference}>"

    def declarations(self) -> str:
        """The directives for what has been written so far, `@base` first, then prefixes by name."""
        used = sorted((self._namespaces[namespace], namespace) for namespace in self._used)
        lines = [f"@prefix {prefix}: {_full(namespace)} ." for prefix, namespace in used]
        if self._base and self._based:
            lines.insert(0, f"@base {_full(self._base.iri)} .")
        return "\n".join(lines)


class _Base:
    """The base IRI of a file, and the IRIs that are safely written relative to it (RFC 3986 section 5.2)."""

    def __init__(self, iri: str) -> None:
        self.iri = iri
        self._document = iri.partition("#")[0]
        folder = _BASE_FOLDER.match(self._document)
        # Dot segments in the base itself are resolved differently by different readers: then nothing is relative.
        self._folder = folder.group() if folder and "/." not in self._document else None

    def reference(self, iri: str) -> str | None:
        """What resolves to `iri`, or None where only the full IRI is safe."""
        if self._folder is None:
            return None
        for start, safe in ((self._document, _IN_DOCUMENT), (self._folder, _BELOW_FOLDER)):
            rest = iri[len(start) :]
            if iri.startswith(start) and safe.fullmatch(rest):
                return rest
        return None


def _full(iri: str) -> str:
    return f"<{_FORBIDDEN.sub(_unicode_escape, iri)}>"


def _unicode_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04X}"


# --- literals ---------------------------------------------------------------------------------------------------

# Control characters, line and paragraph separators, marks that reorder text on screen: never written raw, so that
# what a person reads in a diff is what is there.
_INVISIBLE = (
    *range(0x20),
    *range(0x7F, 0xA0),
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    0xFEFF,
    0xFFFE,
    0xFFFF,
)
_SHORT_ESCAPES = {code: f"\\u{code:04X}" for code in _INVISIBLE} | {
    ord("\t"): r"\t",
    ord("\n"): r"\n",
    ord("\r"): r"\r",
    ord('"'): r"\"",
    ord("\\"): r"\\",
}
_LONG_ESCAPES = {code: text for code, text in _SHORT_ESCAPES.items() if chr(code) not in '\t\n"'}
_NEEDS_ESCAPE = re.compile("[" + "".join(re.escape(chr(code)) for code in _SHORT_ESCAPES) + "]")
_RISKY_QUOTE = re.compile(r'"(?="|\Z)')  # in a long string: one that another quote, or the end, follows


def _quoted(value: str) -> str:
    if not _NEEDS_ESCAPE.search(value):
        return f'"{value}"'
    if "\n" not in value:
        return f'"{value.translate(_SHORT_ESCAPES)}"'
    body = _RISKY_QUOTE.sub(r"\"", value.translate(_LONG_ESCAPES))
    return f'"""{body}"""'


def _literal(literal: Literal, names: _Names) -> str:
    """The literal in Turtle, its lexical form untouched; ValueError if it has a base direction."""
    value, language = literal.value, literal.language
    if language is not None:
        if literal.direction is not None:
            raise ValueError(f"a literal with a base direction can't be written in Turtle 1.1: {literal}")
        return f"{_quoted(value)}@{language}"
    datatype = literal.datatype
    if datatype.value == _XSD + "string":
        return _quoted(value)
    shorthand = _SHORTHAND.get(datatype.value)
    if shorthand and shorthand.fullmatch(value):
        return value
    return f"{_quoted(value)}^^{names[datatype]}"


# --- one graph --------------------------------------------------------------------------------------------------


class _Graph:
    """The triples of one graph by subject and predicate, and where its blank nodes are written.

    `nested` are those written in place, `lists` those of them that start (the rest of) a proper list. Nodes in
    `labelled` always have a label (another graph uses them too), nodes in `apart` always a block of their own.
    """

    def __init__(
        self,
        triples: Iterable[Triple | Quad],
        *,
        labelled: Collection[BlankNode] = frozenset(),
        apart: Collection[BlankNode] = frozenset(),
    ) -> None:
        self.properties: dict[Node, _Properties] = {}
        self.labelled = labelled
        self._users: dict[BlankNode, list[Node]] = {}
        for triple in triples:
            self._add(triple.subject, triple.predicate, triple.object)
        self._parent = {
            node: users[0]
            for node, users in self._users.items()
            if len(users) == 1 and node not in labelled and node not in apart
        }
        for node in _on_cycles(self._parent):
            del self._parent[node]
        self.nested = self._parent.keys()
        self.lists = self._proper_lists()

    def _add(self, subject: Node | Triple, predicate: NamedNode, value: Term) -> None:
        objects = self.properties.setdefault(_node(subject), {}).setdefault(predicate, {})
        if value not in objects:
            objects[value] = None
            if isinstance(value, BlankNode):
                self._users.setdefault(value, []).append(_node(subject))

    def _cell(self, node: Node) -> tuple[Term, Term] | None:
        """First and rest of a node that has exactly these, and each once."""
        properties = self.properties.get(node, {})
        if properties.keys() != {_FIRST, _REST}:
            return None
        first, rest = properties[_FIRST], properties[_REST]
        return (next(iter(first)), next(iter(rest))) if len(first) == len(rest) == 1 else None

    def _proper_lists(self) -> set[Node]:
        """The nested cells from which `rdf:rest` leads to `rdf:nil`: walked from the end, so each cell once."""
        cells = {node: cell for node in self.nested if (cell := self._cell(node))}
        proper: set[Node] = set()
        for end in [node for node, (_, rest) in cells.items() if rest == _NIL]:
            proper.add(end)
            node, parent = end, self._parent[end]
            while isinstance(parent, BlankNode) and parent in cells and cells[parent][1] == node:
                proper.add(parent)
                node, parent = parent, self._parent[parent]
        return proper

    def items(self, head: Node) -> list[Term]:
        """The members of the proper list that starts at `head`."""
        items: list[Term] = []
        node: Term = head
        while node != _NIL:
            [item] = self.properties[node][_FIRST]  # type: ignore[index]  # proper: only cells on the way to nil
            [node] = self.properties[node][_REST]  # type: ignore[index]  # likewise
            items.append(item)
        return items

    def subjects(self, order: Iterable[Node]) -> list[Node]:
        """The subjects that get a block: those in `order` as it has them, then the others sorted."""
        first = [node for node in dict.fromkeys(order) if node in self.properties and node not in self.nested]
        others = self.properties.keys() - set(first) - set(self.nested)
        return first + sorted(others, key=_subject_key)

    def is_used(self, node: BlankNode) -> bool:
        """Whether something in this graph, or another graph, points at the node."""
        return node in self._users or node in self.labelled

    def blank_nodes(self) -> set[BlankNode]:
        """Every blank node that is a subject or an object here."""
        return {node for node in self.properties if isinstance(node, BlankNode)} | self._users.keys()


def _on_cycles(parent: Mapping[BlankNode, Node]) -> set[BlankNode]:
    """The nodes that reach themselves by following `parent`; every node is visited once."""
    cyclic: set[BlankNode] = set()
    walk_of: dict[Node, BlankNode] = {}
    for start in parent:
        node: Node = start
        path: list[BlankNode] = []
        while isinstance(node, BlankNode) and node in parent and node not in walk_of:
            walk_of[node] = start
            path.append(node)
            node = parent[node]
        if path and isinstance(node, BlankNode) and walk_of.get(node) == start:
            cyclic.update(path[path.index(node) :])
    return cyclic


def _subject_key(node: Node) -> _Key:
    return (0, node.value) if isinstance(node, NamedNode) else (1, *_natural(node))


def _natural(node: BlankNode) -> tuple[int, str]:
    """Orders c14n2 before c14n10."""
    return len(node.value), node.value


# --- writing ----------------------------------------------------------------------------------------------------


def _flatten(pieces: Iterator[_Piece]) -> Iterator[str]:
    """The strings of nested iterators in order, on a stack of our own: depth is limited by memory only."""
    stack = [pieces]
    while stack:
        for piece in stack[-1]:
            if isinstance(piece, str):
                yield piece
            else:
                stack.append(piece)
                break
        else:
            stack.pop()


def _new_line(depth: int) -> str:
    return "\n" + " " * (_INDENT * min(depth, _DEEPEST))


class _Labels:
    """Labels of blank nodes, b0, b1, ... in the order in which they are first written."""

    def __init__(self) -> None:
        self._numbers: dict[BlankNode, int] = {}

    def __getitem__(self, node: BlankNode) -> str:
        return f"_:b{self._numbers.setdefault(node, len(self._numbers))}"

    def key(self, node: BlankNode) -> _Key:
        return (self._numbers.get(node, _UNNUMBERED), *_natural(node))


class _Writer:
    """Writes the subjects of one graph. Terms are rendered in the order of the text, which numbers the labels."""

    def __init__(self, graph: _Graph, names: _Names, labels: _Labels) -> None:
        self._graph = graph
        self._names = names
        self._labels = labels
        self._ranks: dict[NamedNode, tuple[int, str]] = {}

    def blocks(self, subjects: Iterable[Node], comments: Mapping[Node, Sequence[str]], depth: int) -> Iterator[str]:
        """One text for each subject, its comments before it, without a final line end."""
        for subject in subjects:
            lines = _comment_lines(comments.get(subject, ()))
            yield "".join((*(line + "\n" for line in lines), *_flatten(self._block(subject, depth))))

    def _block(self, subject: Node, depth: int) -> Iterator[_Piece]:
        yield _new_line(depth)[1:] + self._subject(subject)
        yield self._properties(subject, depth + 1, " ")
        yield " ."

    def _subject(self, subject: Node) -> str:
        if isinstance(subject, BlankNode):
            return self._labels[subject] if self._graph.is_used(subject) else "[]"
        return self._atom(subject)

    def _properties(self, subject: Node, depth: int, before: str) -> Iterator[_Piece]:
        properties = self._graph.properties[subject]
        for predicate in sorted(properties, key=self._rank):
            objects = properties[predicate]
            yield before + self._predicate(predicate)
            if len(objects) == 1:
                yield " "
                yield from (self._object(value, depth) for value in objects)
            else:
                yield from self._objects(predicate, objects, depth)
            before = " ;" + _new_line(depth)

    def _rank(self, predicate: NamedNode) -> tuple[int, str]:
        rank = self._ranks.get(predicate)
        if rank is None:
            iri = predicate.value
            rank = (_LEADING.index(iri) if iri in _LEADING else len(_LEADING), iri)
            self._ranks[predicate] = rank
        return rank

    def _predicate(self, predicate: NamedNode) -> str:
        return "a" if predicate == _TYPE else self._names[predicate]

    def _objects(self, predicate: NamedNode, objects: Iterable[Term], depth: int) -> Iterator[_Piece]:
        """Several objects, a line each so that a diff shows the one that changed; types stay on the subject's line."""
        ordered = sorted(objects, key=self._object_key)
        on_one_line = predicate == _TYPE and all(isinstance(value, NamedNode) for value in ordered)
        before = " " if on_one_line else _new_line(depth + 1)
        for number, value in enumerate(ordered):
            yield "," + before if number else before
            yield self._object(value, depth + 1)

    def _object_key(self, value: Term) -> _Key:
        if isinstance(value, NamedNode):
            return (0, value.value)
        if isinstance(value, Literal):
            return (3, value.language or "", value.value, value.datatype.value)
        if isinstance(value, BlankNode):
            # Labels before nested nodes: then the order of a text that was written here is that of reading it again.
            return (2, *_natural(value)) if value in self._graph.nested else (1, *self._labels.key(value))
        raise _unsupported(value)

    def _object(self, value: Term, depth: int) -> _Piece:
        """The object as it stands on a line that is `depth` levels in."""
        if not isinstance(value, BlankNode) or value not in self._graph.nested:
            return self._atom(value)
        if value in self._graph.lists:
            return self._list(self._graph.items(value), depth)
        if self._is_short(value):
            return self._short_node(value)
        return self._long_node(value, depth)

    def _atom(self, value: Term) -> str:
        if isinstance(value, NamedNode):
            return "()" if value == _NIL else self._names[value]
        if isinstance(value, Literal):
            return _literal(value, self._names)
        if isinstance(value, BlankNode):
            return self._labels[value]
        raise _unsupported(value)

    def _is_short(self, value: Term) -> bool:
        """Whether it fits on a line for sure: no nested node, or one with at most one triple that nests no further."""
        graph = self._graph
        if not isinstance(value, BlankNode) or value not in graph.nested:
            return True
        inner = [term for objects in graph.properties.get(value, {}).values() for term in objects]
        return value not in graph.lists and len(inner) <= 1 and not any(term in graph.nested for term in inner)

    def _short_node(self, node: BlankNode) -> str:
        for predicate, objects in self._graph.properties.get(node, {}).items():
            for value in objects:
                return f"[ {self._predicate(predicate)} {self._atom(value)} ]"
        return "[]"

    def _long_node(self, node: BlankNode, depth: int) -> Iterator[_Piece]:
        yield "["
        yield self._properties(node, depth + 1, _new_line(depth + 1))
        yield _new_line(depth) + "]"

    def _list(self, items: Sequence[Term], depth: int) -> _Piece:
        if len(items) < _LINE // 2 and all(map(self._is_short, items)):
            line = " ".join(["(", *_flatten(self._object(item, depth + 1) for item in items), ")"])
            if len(line) <= _LINE and "\n" not in line:
                return line
        return self._long_list(items, depth)

    def _long_list(self, items: Sequence[Term], depth: int) -> Iterator[_Piece]:
        yield "("
        for item in items:
            yield _new_line(depth + 1)
            yield self._object(item, depth + 1)
        yield _new_line(depth) + ")"


def _unsupported(value: Term) -> ValueError:
    return ValueError(f"a triple term can't be written in Turtle 1.1: {value}")


def _comment_lines(lines: Iterable[str]) -> list[str]:
    lines = list(lines)
    for line in lines:
        if (line and not line.startswith("#")) or "\n" in line or "\r" in line:
            raise ValueError(f"a comment line is empty or starts with '#', and has no line end: {line!r}")
    return lines


def _document(*parts: str) -> str:
    """The parts that are not empty, a blank line between them."""
    text = "\n\n".join(filter(None, parts))
    return text + "\n" if text else ""


def write_turtle(
    triples: Iterable[Triple | Quad],
    prefixes: Mapping[str, str],
    *,
    subject_order: Sequence[Node] | None = None,
    comments: Mapping[Node, Sequence[str]] | None = None,
    header: Sequence[str] = (),
    footer: Sequence[str] = (),
    base: str | None = None,
) -> str:
    """The triples as a Turtle 1.1 document; the same set of triples in any order gives the same text.

    Subjects are sorted unless `subject_order` names them (others follow). `comments` stand before their subject's
    block, `header` and `footer` at the ends; each is a list of lines that start with `#` or are empty. IRIs are
    written relative to `base` where that is given and safe. Graph names of quads are ignored. Order and labels of
    blank nodes follow their ids, so ids should be canonical. Raises ValueError for RDF 1.2's triple terms and base
    directions, for a prefix that can't be one, and for a comment that isn't one.
    """
    comments = comments or {}
    names = _Names(prefixes, base)
    graph = _Graph(triples, apart={node for node in comments if isinstance(node, BlankNode)})
    writer = _Writer(graph, names, _Labels())
    blocks = list(writer.blocks(graph.subjects(subject_order or ()), comments, depth=0))
    head, tail = ("\n".join(_comment_lines(lines)) for lines in (header, footer))
    return _document(head, names.declarations(), *blocks, tail)


def write_trig(quads: Iterable[Quad], prefixes: Mapping[str, str]) -> str:
    """The quads as a TriG 1.1 document: the default graph, then the named graphs sorted, all as `write_turtle` does.

    A blank node that several graphs use, or that names one, has the same label everywhere.
    """
    triples: dict[Node | DefaultGraph, list[Quad]] = {DefaultGraph(): []}
    for quad in quads:
        triples.setdefault(quad.graph_name, []).append(quad)
    labelled = _shared(triples)
    default = triples.pop(DefaultGraph())
    named = sorted((name for name in triples if not isinstance(name, DefaultGraph)), key=_subject_key)
    names, labels = _Names(prefixes), _Labels()

    def blocks(members: Iterable[Quad], depth: int) -> list[str]:
        graph = _Graph(members, labelled=labelled)
        return list(_Writer(graph, names, labels).blocks(graph.subjects(()), {}, depth))

    parts = blocks(default, 0)
    for name in named:
        title = labels[name] if isinstance(name, BlankNode) else names[name]
        parts.append(f"{title} {{\n" + "\n\n".join(blocks(triples[name], 1)) + "\n}")
    return _document(names.declarations(), *parts)


def _shared(graphs: Mapping[Node | DefaultGraph, Iterable[Quad]]) -> set[BlankNode]:
    """The blank nodes that more than one graph uses or that name a graph."""
    uses: Counter[BlankNode] = Counter()
    for members in graphs.values():
        ends = {end for quad in members for end in (quad.subject, quad.object) if isinstance(end, BlankNode)}
        uses.update(ends)
    names = {name for name in graphs if isinstance(name, BlankNode)}
    return {node for node, count in uses.items() if count > 1} | names


# --- formatting hand-written files ------------------------------------------------------------------------------


class FormatRefused(ValueError):
    """Something in a file would be lost or changed by laying it out anew; `line` counts from 1."""

    def __init__(self, line: int, message: str, source: str = "<input>") -> None:
        super().__init__(f"{source}:{line}: {message}")
        self.line = line
        self.message = message


_TOKEN = re.compile(
    r"""
      (?P<space>   [ \t\r\n]+ )
    | (?P<comment> \#[^\r\n]* )
    | (?P<string>  \"{3} (?: \"{0,2} (?: [^"\\] | \\. ) )*+ \"{3} | " (?: [^"\\] | \\. )*+ "
                 | '{3}  (?: '{0,2}  (?: [^'\\] | \\. ) )*+ '{3}  | ' (?: [^'\\] | \\. )*+ ' )
    | (?P<iri>     <[^<>\x00-\x20]*> )
    | (?P<at>      @[A-Za-z]+ (?: -[A-Za-z0-9]+ )* )
    | (?P<number>  [+-]? (?: [0-9]+\.?[0-9]*[eE][+-]?[0-9]+ | \.[0-9]+[eE][+-]?[0-9]+ | [0-9]*\.[0-9]+ | [0-9]+ ) )
    | (?P<word>    (?: \\. | [^\x00-\x20<>"'()\[\]{};,.\#\\] )
                 (?: \\. | [^\x00-\x20<>"'()\[\]{};,.\#\\] | \.+ (?= [^\x00-\x20<>"'()\[\]{};,.\#] ) )* )
    | (?P<mark>    . )
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """The tokens of Turtle, TriG, N-Triples or N-Quads but for space and comments: (kind, token, line).

    Kinds are `string`, `iri`, `at` (a language tag or directive), `number`, `word` (names, keywords, `^^`), `mark`.
    """
    line, at = 1, 0
    for match in _TOKEN.finditer(text):
        if match.lastgroup not in ("space", "comment"):
            line += text.count("\n", at, match.start())
            at = match.start()
            yield match.lastgroup or "", match.group(), line


#: Directives by their lower-case keyword, and how many tokens follow it (None: up to the next full stop).
_DIRECTIVES = {"@prefix": None, "@base": None, "prefix": 2, "base": 1}
_VERSIONS = ("@version", "version")  # RDF 1.2: announces what can't be written here

_MOVE = "move it to a line of its own before the statement, or to the head or the end of the file"


@dataclass(frozen=True)
class _Statement:
    """Where a statement starts, the first token of its subject, and the comments before it."""

    start: int
    token: str
    comments: list[str]


@dataclass
class _Outline:
    """The statements and comments of a file that is known to be valid Turtle."""

    text: str
    source: str
    head: list[str] = field(default_factory=list)
    statements: list[_Statement] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    _pending: list[str] = field(default_factory=list)
    _pending_at: int = 0
    _directives: int = 0

    def read(self) -> "_Outline":
        """Fills the outline; raises FormatRefused for a comment that has no place in the canonical layout."""
        inside = False
        left: int | None = 0  # tokens until the statement ends; None: until a full stop
        for match in _TOKEN.finditer(self.text):
            kind, token = match.lastgroup, match.group()
            if kind == "space":
                self._space(token)
            elif kind == "comment":
                self._comment(match.start(), token, inside)
            elif inside:
                left = left - 1 if left is not None else left
                inside = left != 0 if left is not None else token != "."
            else:
                left, inside = self._open(match.start(), token), True
        self.tail, self._pending = _without_last_blank(self._pending), []
        return self

    def _space(self, token: str) -> None:
        if self._pending and self._pending[-1] and token.count("\n") > 1:
            self._pending.append("")

    def _comment(self, start: int, token: str, inside: bool) -> None:
        if inside:
            raise self._refused(start, f"a comment inside a statement: {_MOVE}")
        if self.text[self.text.rfind("\n", 0, start) + 1 : start].strip():
            raise self._refused(start, f"a comment after a statement on the same line: {_MOVE}")
        if not self._pending:
            self._pending_at = start
        self._pending.append(token.rstrip())

    def _open(self, start: int, token: str) -> int | None:
        """Notes the start of a directive or statement; answers how many tokens it has after this one."""
        comments, self._pending = self._pending, []
        keyword = token.lower()
        if keyword in _VERSIONS:
            raise self._refused(start, "a version directive: RDF 1.2 can't be formatted")
        if keyword not in _DIRECTIVES:
            self.statements.append(_Statement(start, token, comments))
            return None
        self._directives += 1
        if self._directives == 1 and not self.statements:
            self.head = _without_last_blank(comments)
        elif comments:
            raise self._refused(self._pending_at, f"a comment between directives: {_MOVE}")
        return _DIRECTIVES[keyword]

    def _refused(self, start: int, message: str) -> FormatRefused:
        return FormatRefused(self.text.count("\n", 0, start) + 1, message, self.source)

    def triples(self) -> list[list[Quad]]:
        """The triples of each statement, in the order of the text, blank nodes named as the parser names them.

        The text is parsed once, with a statement of our own before each: where it comes out, the next one begins.
        """
        marker = "urn:x-tracktwo:next"
        while marker in self.text:
            marker += "x"
        cuts = [0, *(statement.start for statement in self.statements), len(self.text)]
        chunks = [self.text[start:end] for start, end in pairwise(cuts)]
        groups: list[list[Quad]] = []
        for quad in parse(f" <{marker}> <{marker}> <{marker}> . ".join(chunks), RdfFormat.TURTLE):
            if quad.predicate.value == marker:
                groups.append([])
            else:
                groups[-1].append(quad)
        return groups


def _without_last_blank(lines: list[str]) -> list[str]:
    return lines[:-1] if lines and not lines[-1] else lines


def _root(token: str, group: Iterable[Quad]) -> Node:
    """The subject of the statement that starts with `token` and says `group`."""
    if token.startswith("_:"):
        return BlankNode(token[2:])
    objects = {quad.object for quad in group}
    # Inside brackets all subjects are blank nodes that the brackets around them have as an object.
    subjects = (_node(quad.subject) for quad in group)
    return next(node for node in subjects if isinstance(node, NamedNode) or node not in objects)


def _node(term: Node | Triple) -> Node:
    if isinstance(term, Triple):
        raise _unsupported(term)
    return term


class _Renaming:
    """Blank nodes b0, b1, ... in the order in which they are first asked for."""

    def __init__(self) -> None:
        self._nodes: dict[BlankNode, BlankNode] = {}

    def node(self, term: Node) -> Node:
        if isinstance(term, BlankNode):
            return self._nodes.setdefault(term, BlankNode(f"b{len(self._nodes)}"))
        return term

    def triple(self, quad: Quad) -> Triple:
        value = quad.object
        return Triple(
            self.node(_node(quad.subject)),
            quad.predicate,
            self.node(value) if isinstance(value, BlankNode) else value,
        )


def format_turtle(text: str, *, source: str = "<input>") -> str:
    """The Turtle file `text` in canonical layout, with the same triples, comments and order of subjects.

    Blocks of one subject are joined at its first; unused prefixes go; blank nodes get new labels. Relative IRIs are
    resolved against the file's `@base` (the last, if several), which stays as long as an IRI is written relative to
    it. Formatting twice changes nothing more. Raises SyntaxError for what isn't Turtle, FormatRefused for a
    comment inside or right of a statement and for a relative IRI without a base, ValueError for RDF 1.2's terms.
    """
    before, prefixes, base = _parse(text, source)
    outline = _Outline(text, source).read()
    rename = _Renaming()
    triples: list[Triple] = []
    comments: dict[Node, list[str]] = {}
    for statement, group in zip(outline.statements, outline.triples(), strict=True):
        triples += map(rename.triple, group)
        comments.setdefault(rename.node(_root(statement.token, group)), []).extend(statement.comments)
    formatted = write_turtle(
        triples,
        prefixes,
        subject_order=list(comments),
        comments={node: lines for node, lines in comments.items() if lines},
        header=outline.head,
        footer=outline.tail,
        base=base,
    )
    after, _, _ = _parse(formatted, source)
    if _without_labels(before) != _without_labels(after):  # a fault of this module: better no file than a wrong one
        raise RuntimeError(f"{source}: formatting would change the triples; the file is left alone")
    return formatted


def _parse(text: str, source: str) -> tuple[set[Quad], dict[str, str], str | None]:
    """Triples, prefixes and last base of a Turtle file."""
    parser = parse(text, RdfFormat.TURTLE)
    try:
        return set(parser), parser.prefixes, parser.base_iri
    except SyntaxError as error:
        if not _parses_with_a_base(text):
            raise
        message = "a relative IRI, and no @base before it: write the IRI in full or declare a base"
        raise FormatRefused(error.lineno or 1, message, source) from error


def _parses_with_a_base(text: str) -> bool:
    try:
        return all(True for _ in parse(text, RdfFormat.TURTLE, base_iri="http://base.invalid/"))
    except SyntaxError:
        return False


def _without_labels(quads: Iterable[Quad]) -> Counter[tuple[str, ...]]:
    """How often each triple occurs when all blank nodes look alike."""

    def text(term: Term) -> str:
        return "_:" if isinstance(term, BlankNode) else str(term)

    return Counter((text(quad.subject), text(quad.predicate), text(quad.object)) for quad in quads)


def prefixes_of(text: str) -> dict[str, str]:
    """The prefixes that the Turtle file `text` declares, names without the colon; SyntaxError if it isn't Turtle."""
    parser = parse(text, RdfFormat.TURTLE)
    for _ in parser:
        pass  # a prefix may be declared anywhere
    return dict(parser.prefixes)

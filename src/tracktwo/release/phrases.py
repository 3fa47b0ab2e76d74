"""Nodes without names as people write them: class expressions, property paths, lists, each as a row of pieces.

A piece is `[kind, text, …]`: `iri`; `word`, a keyword of the Manchester syntax (OWL 2 Manchester Syntax section 2);
`sign`, punctuation; `text`, a literal with its language and datatype. Whoever prints it puts labels for the IRIs.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from tracktwo.namespaces import OWL, RDF, RDFS, SH, XSD
from tracktwo.terms import Node, name_of

Piece = list[str]
Phrase = list[Piece]

_LEVELS = 12  # of nesting that are written out
_ITEMS = 60  # of a list that are written out

#: Restrictions of a property: the keyword, and whether a number comes before what it is about.
_RESTRICTIONS: dict[NamedNode, tuple[str, bool]] = {
    OWL.someValuesFrom: ("some", False),
    OWL.allValuesFrom: ("only", False),
    OWL.hasValue: ("value", False),
    OWL.hasSelf: ("Self", False),
    OWL.minCardinality: ("min", True),
    OWL.maxCardinality: ("max", True),
    OWL.cardinality: ("exactly", True),
    OWL.minQualifiedCardinality: ("min", True),
    OWL.maxQualifiedCardinality: ("max", True),
    OWL.qualifiedCardinality: ("exactly", True),
}
#: Lists of operands, and the keyword between them.
_JOINED: dict[NamedNode, str] = {
    OWL.intersectionOf: "and",
    OWL.unionOf: "or",
    SH["and"]: "and",
    SH["or"]: "or",
    SH.xone: "xor",
}
_NEGATED = (OWL.complementOf, OWL.datatypeComplementOf, SH["not"])
_ENUMERATED = (OWL.oneOf, SH["in"])
#: Facets of a datatype (OWL 2 section 7.5).
_FACETS: dict[NamedNode, str] = {
    XSD.minInclusive: "≥",
    XSD.maxInclusive: "≤",
    XSD.minExclusive: ">",
    XSD.maxExclusive: "<",
    XSD.length: "length",
    XSD.minLength: "minLength",
    XSD.maxLength: "maxLength",
    XSD.pattern: "pattern",
    RDF.langRange: "langRange",
}
#: Property paths (SHACL section 2.3.1): what stands before the path, and behind it.
_PATHS: dict[NamedNode, tuple[str, str]] = {
    SH.inversePath: ("^", ""),
    SH.zeroOrMorePath: ("", "*"),
    SH.oneOrMorePath: ("", "+"),
    SH.zeroOrOnePath: ("", "?"),
}
#: What a nameless shape says of a value's kind, to be written as that kind alone.
_KINDS = (SH["class"], SH.datatype, SH.node)


class Phrases:
    """Writes nodes as phrases, from the triples that say what they are."""

    def __init__(self, triples: Iterable[Triple]) -> None:
        self._said: dict[Node, dict[NamedNode, list[Any]]] = {}
        for triple in triples:
            assert isinstance(triple.subject, (NamedNode, BlankNode))
            values = self._said.setdefault(triple.subject, {}).setdefault(triple.predicate, [])
            if triple.object not in values:
                values.append(triple.object)

    def of(self, node: Node) -> dict[NamedNode, list[Any]]:
        """What is said of a node: its objects by property."""
        return self._said.get(node, {})

    def subjects(self) -> Iterable[Node]:
        """Everything of which something is said."""
        return self._said

    def term(self, term: Any, level: int = 0) -> Phrase:
        """A term as a phrase; what is nested too deep, or in itself, ends in `…`."""
        if isinstance(term, Literal):
            plain = term.datatype in (XSD.string, RDF.langString)
            return [["text", term.value, term.language or "", "" if plain else term.datatype.value]]
        if isinstance(term, NamedNode):
            return [["iri", term.value]]
        if level > _LEVELS or not isinstance(term, BlankNode):
            return [["sign", "…"]]
        return self._expression(term, self.of(term), level + 1)

    def path(self, term: Any, level: int = 0) -> Phrase:
        """A property path (SHACL section 2.3.1)."""
        if not isinstance(term, BlankNode) or level > _LEVELS:
            return self.term(term, level)
        said = self.of(term)
        for property_, (before, behind) in _PATHS.items():
            if property_ in said:
                inner = self.path(said[property_][0], level + 1)
                inner = inner if len(inner) == 1 else [["sign", "("], *inner, ["sign", ")"]]
                return [*_sign(before), *inner, *_sign(behind)]
        if SH.alternativePath in said:
            parts = self.items(said[SH.alternativePath][0])
            return joined([self.path(part, level + 1) for part in parts], "sign", "|")
        if RDF.first in said:
            return joined([self.path(part, level + 1) for part in self.items(term)], "sign", "/")
        return self.term(term, level)

    def items(self, cell: Any) -> list[Any]:
        """The items of an RDF list, as far as it is one."""
        found: list[Any] = []
        seen = set()
        while isinstance(cell, BlankNode) and cell not in seen and len(found) < _ITEMS:
            seen.add(cell)
            said = self.of(cell)
            found += said.get(RDF.first, [])[:1]
            cell = next(iter(said.get(RDF.rest, [])), RDF.nil)
        return found

    def chain(self, cell: Any) -> Phrase:
        """A chain of properties (OWL 2 section 9.2.1)."""
        return joined([self.term(item, 1) for item in self.items(cell)], "sign", "∘")

    def _expression(self, node: BlankNode, said: dict[NamedNode, list[Any]], level: int) -> Phrase:
        first = {property_: values[0] for property_, values in said.items()}
        negated = [first[property_] for property_ in _NEGATED if property_ in first]
        listed = [first[property_] for property_ in _ENUMERATED if property_ in first]
        inverse = [first[OWL.inverseOf]] if OWL.inverseOf in first else []
        parts = [
            *self._restriction(said, level),
            *(self._operands(first[name], word, level) for name, word in _JOINED.items() if name in first),
            *([["word", "not"], *self._grouped(value, level)] for value in negated),
            *(self.choices(cell, level) for cell in listed),
            *self._datatype(said, level),
            *([["word", "inverse"], *self.term(value, level)] for value in inverse),
            *(self.term(value, level) for property_ in _KINDS for value in said.get(property_, [])),
        ]
        if parts:
            return joined(parts, "word", "and")
        if RDF.first in said:
            items = [self.term(item, level) for item in self.items(node)]
            return [["sign", "("], *joined(items, "sign", ","), ["sign", ")"]]
        return self._plain(said, level)

    def _restriction(self, said: dict[NamedNode, list[Any]], level: int) -> list[Phrase]:
        """`property some Class` and the like (OWL 2 Manchester Syntax, `restriction`)."""
        if OWL.onProperty not in said:
            return []
        property_ = self.term(said[OWL.onProperty][0], level)
        qualified = [*said.get(OWL.onClass, []), *said.get(OWL.onDataRange, [])][:1]
        found: list[Phrase] = []
        for restriction, (word, counts) in _RESTRICTIONS.items():
            for value in said.get(restriction, [])[:1]:
                told = [] if word == "Self" else self._grouped(value, level)
                about = [piece for class_ in qualified if counts for piece in self._grouped(class_, level)]
                found.append([*property_, ["word", word], *told, *about])
        return found

    def _operands(self, cell: Any, word: str, level: int) -> Phrase:
        return joined([self._grouped(item, level) for item in self.items(cell)], "word", word)

    def choices(self, cell: Any, level: int = 0) -> Phrase:
        """The items of a list in braces."""
        items = [self.term(item, level) for item in self.items(cell)]
        return [["sign", "{"], *joined(items, "sign", ","), ["sign", "}"]]

    def _datatype(self, said: dict[NamedNode, list[Any]], level: int) -> list[Phrase]:
        """`xsd:integer[≥ 0]` (OWL 2 Manchester Syntax, `datatypeRestriction`)."""
        if OWL.onDatatype not in said:
            return []
        facets = [
            [["word" if sign.isalpha() else "sign", sign], *self.term(value, level)]
            for cell in said.get(OWL.withRestrictions, [])[:1]
            for item in self.items(cell)
            for facet, sign in _FACETS.items()
            for value in self.of(item).get(facet, [])
        ]
        datatype = self.term(said[OWL.onDatatype][0], level)
        return [[*datatype, ["sign", "["], *joined(facets, "sign", ","), ["sign", "]"]]]

    def _grouped(self, term: Any, level: int) -> Phrase:
        """A term as an operand: in parentheses where it has parts."""
        phrase = self.term(term, level)
        simple = len(phrase) == 1 or (phrase and phrase[0] == ["sign", "{"])
        return phrase if simple else [["sign", "("], *phrase, ["sign", ")"]]

    def _plain(self, said: dict[NamedNode, list[Any]], level: int) -> Phrase:
        """Any other node: its properties and values in brackets."""
        parts = [
            [["iri", property_.value], *self.term(value, level)]
            for property_, values in sorted(said.items(), key=lambda item: item[0].value)
            if property_ not in (RDF.type, RDFS.isDefinedBy)
            for value in values
        ]
        return [["sign", "["], *joined(parts, "sign", ";"), ["sign", "]"]]


def names_in(phrase: Sequence[Piece]) -> list[str]:
    """The IRIs that a phrase names."""
    return [piece[1] for piece in phrase if piece[0] == "iri"]


def in_order(terms: Iterable[Any]) -> list[Any]:
    """Terms in an order that is the same in every build: names first."""
    return sorted(terms, key=lambda term: (isinstance(term, BlankNode), name_of(term)))


def _sign(sign: str) -> Phrase:
    return [["sign", sign]] if sign else []


def joined(phrases: Sequence[Phrase], kind: str, between: str) -> Phrase:
    """Phrases with a piece between each two."""
    return [piece for number, phrase in enumerate(phrases) for piece in ([[kind, between]] if number else []) + phrase]

"""Documents that define terms, as people read them: a view model of each that templates only print.

What a release fixes is in its `vocabulary.json`; here it gets labels in the reader's language and places to go to.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tracktwo.diagram import Branch, Drawing, Name, neighbours, tree
from tracktwo.entity import Describer
from tracktwo.links import clickable
from tracktwo.namespaces import DCTERMS, LABELS, OWL, PREFIXES, RDF, RDFS, SH, SKOS, SUMMARIES, VANN, XSD
from tracktwo.question import Question
from tracktwo.view import Source

_SHOWN = 500  # terms of one page; the other formats have all
_DRAWN = 250  # boxes of the diagram of all classes
_LINKED = 30  # links of the diagram of one class

#: Statements that a term's section shows under a name of the interface, in this order; the others follow.
_FACTS: tuple[tuple[str, str], ...] = (
    ("kind-of", RDFS.subClassOf.value),
    ("implies", RDFS.subPropertyOf.value),
    ("same-class", OWL.equivalentClass.value),
    ("same-property", OWL.equivalentProperty.value),
    ("union", OWL.disjointUnionOf.value),
    ("key", OWL.hasKey.value),
    ("domain", RDFS.domain.value),
    ("range", RDFS.range.value),
    ("chain", OWL.propertyChainAxiom.value),
    ("target", SH.targetClass.value),
    ("target-subjects", SH.targetSubjectsOf.value),
    ("target-objects", SH.targetObjectsOf.value),
    ("target-node", SH.targetNode.value),
    ("version", OWL.versionInfo.value),
    ("version-iri", OWL.versionIRI.value),
    ("prior-version", OWL.priorVersion.value),
    ("status", PREFIXES["bibo"] + "status"),
    ("creator", DCTERMS.creator.value),
    ("licence", DCTERMS.license.value),
    ("created", DCTERMS.created.value),
    ("modified", DCTERMS.modified.value),
    ("prefix", VANN.preferredNamespacePrefix.value),
    ("namespace", VANN.preferredNamespaceUri.value),
    ("imports", OWL.imports.value),
    ("change", SKOS.changeNote.value),
    ("example", SKOS.example.value),
    ("comment", RDFS.comment.value),
    ("note", SKOS.note.value),
    ("scope", SKOS.scopeNote.value),
    ("history", SKOS.historyNote.value),
    ("see-also", RDFS.seeAlso.value),
    ("close", SKOS.closeMatch.value),
    ("related", SKOS.relatedMatch.value),
)
#: What a section tells in another place.
_TOLD = {name.value for name in (RDF.type, OWL.inverseOf, OWL.disjointWith, SH.declare, *LABELS)}
#: Of shapes, the statements that a table does not tell.
_OF_SHAPES = {
    name.value for name in (SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf, SH.targetNode, SH.description)
}
_PLAIN_TYPES = {
    name.value
    for name in (
        *(OWL.Class, RDFS.Class, RDF.Property, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty),
        *(SH.NodeShape, SH.PropertyShape, SH.PropertyGroup, RDFS.Datatype, OWL.Ontology, OWL.NamedIndividual),
    )
}

_DAYS = {datatype.value for datatype in (XSD.date, XSD.dateTime, XSD.gYear, XSD.gYearMonth)}


@dataclass(frozen=True)
class Piece:
    """One piece of a phrase: `iri`, `word` (a keyword), `sign`, `text` or `day`; links where there is a place to go."""

    kind: str
    text: str
    url: str = ""
    iri: str = ""
    language: str = ""
    datatype: str = ""


Phrase = tuple[Piece, ...]


@dataclass(frozen=True)
class Stated:
    """A phrase, and who says so where that is not the document itself."""

    phrase: Phrase
    source: Source | None = None

    @property
    def language(self) -> str:
        """The language of a text; none of anything else."""
        return self.phrase[0].language if len(self.phrase) == 1 and self.phrase[0].kind == "text" else ""


@dataclass(frozen=True)
class Fact:
    """What a term says with one property: `key` names it in the interface, else the property's own name does."""

    key: str
    name: Piece
    values: tuple[Stated, ...]

    @property
    def folded(self) -> tuple[Stated, ...]:
        """The texts in another language than the first of them, which is the reader's where there is one."""
        best = next((value.language for value in self.values if value.language), "")
        return tuple(value for value in self.values if value.language not in ("", best))


@dataclass(frozen=True)
class Condition:
    """What a shape asks for in words: its severity, message in the reader's language, and parameters."""

    severity: str
    message: Piece | None
    phrase: Phrase
    shape: Piece | None


@dataclass(frozen=True)
class Row:
    """A property as a shape expects it: its name and path, how many values of what kind, and other conditions.

    `wished` is how many only a warning asks for; empty where none does.
    """

    name: Piece
    path: Phrase
    cardinality: str
    wished: str
    types: tuple[Phrase, ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Table:
    """A node shape: its name, the rows of its properties, and the conditions on the node itself."""

    shape: Piece | None
    rows: tuple[Row, ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Term:
    """A term's section. `texts` are its definitions in all languages, the reader's first; `names` its other labels."""

    kind: str
    anchor: str
    curie: str
    label: Piece
    names: tuple[Piece, ...]
    texts: tuple[Piece, ...]
    types: tuple[Piece, ...]
    facts: tuple[Fact, ...]
    related: Mapping[str, tuple[Piece, ...]]
    members: int = 0
    browse: str = ""
    uses: int = 0
    example: tuple[Piece, Piece, Phrase] | None = None
    questions: tuple[Piece, ...] = ()
    tables: tuple[Table, ...] = ()
    row: Row | None = None
    diagram: Drawing | None = None


@dataclass(frozen=True)
class Part:
    """The terms of one kind, in order of their labels."""

    kind: str
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Page:
    """A whole document: what it is, its parts, its classes as a tree and drawn, others' terms that it declares."""

    iri: str
    about: Term | None
    parts: tuple[Part, ...]
    classes: tuple[Branch, ...]
    diagram: Drawing | None
    others: tuple[Piece, ...]
    hidden: int


@dataclass(frozen=True)
class Vocabularies:
    """The vocabularies of one release; `read` gives their JSON when it is first asked for."""

    read: Callable[[], str]
    _labels: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)

    def __contains__(self, document: str) -> bool:
        return document in self.all["documents"]

    @cached_property
    def all(self) -> dict[str, Any]:
        """What `release.vocabulary` wrote."""
        found: dict[str, Any] = json.loads(self.read())
        return found

    def labels(self, document: str, describer: Describer) -> dict[str, dict[str, str]]:
        """The labels of all that a document mentions, looked up once."""
        if document not in self._labels:
            self._labels[document] = describer.catalog.labels(self.all["documents"][document]["mentioned"])
        return self._labels[document]

    def page(self, document: str, describer: Describer, questions: Iterable[Question]) -> Page:
        """A document for a reader of the describer's languages; two look-ups the first time, one from then on."""
        return _Drawing(self.all, document, describer, self.labels(document, describer), questions).page()


class _Drawing:
    """One page while it is made: the records of a release, labels, and places."""

    def __init__(
        self,
        all_: Mapping[str, Any],
        document: str,
        describer: Describer,
        labels: Mapping[str, Mapping[str, str]],
        questions: Iterable[Question],
    ) -> None:
        self._all, self._iri, self._describer, self._labels = all_, document, describer, labels
        self._document = all_["documents"][document]
        self._missing = set(self._document["missing"])
        self._questions = {question.slug: question for question in questions}
        self._browse = {row.iri: describer.links.site("browse/" + row.slug) for row in describer.catalog.classes()}
        self._named: dict[str, Piece] = {}

    def page(self) -> Page:
        by_kind: Mapping[str, Sequence[str]] = self._document["terms"]
        left, parts = _SHOWN, []
        for kind, iris in self._ordered(by_kind):
            shown = sorted(iris, key=lambda iri: (self.named(iri).text.casefold(), iri))[: max(0, left)]
            left -= len(shown)
            if shown:
                parts.append(Part(kind, tuple(self.term(iri) for iri in shown)))
        classes = self._tree(by_kind.get("class", ()))
        total = sum(len(iris) for iris in by_kind.values())
        about = self.term(self._iri) if self._iri in self._all["terms"] else None
        others = sorted((self.named(iri) for iri in self._document["others"]), key=lambda name: name.text.casefold())
        return Page(
            iri=self._iri,
            about=about,
            parts=tuple(parts),
            classes=classes,
            diagram=tree(classes) if classes and len(by_kind["class"]) <= _DRAWN else None,
            others=tuple(others),
            hidden=total - sum(len(part.terms) for part in parts) - (about is not None),
        )

    def _ordered(self, by_kind: Mapping[str, Sequence[str]]) -> Iterable[tuple[str, list[str]]]:
        """The kinds in the order of a document, without the document itself."""
        for kind in (*_ORDER, *sorted(by_kind.keys() - set(_ORDER))):
            yield kind, [iri for iri in by_kind.get(kind, ()) if iri != self._iri]

    def term(self, iri: str) -> Term:
        record = self._all["terms"][iri]
        texts: list[Any] = next((record["said"][name.value] for name in SUMMARIES if name.value in record["said"]), [])
        label = self.named(iri)
        names = [piece for name in LABELS for piece in self._texts(record["said"].get(name.value, []))]
        return Term(
            kind=record["kind"],
            anchor=iri.partition("#")[2],
            curie=self._describer.curie(iri),
            label=label,
            names=tuple(dict.fromkeys(piece for piece in names if piece.text != label.text)),
            texts=tuple(self._texts(texts)),
            types=self._types(record),
            facts=tuple(self._facts(record)),
            related={key: self._listed(record[key]) for key in _RELATED if record.get(key)},
            members=record.get("members", 0),
            browse=self._browse.get(iri, ""),
            uses=record.get("uses", 0),
            example=self._example(iri, record),
            questions=tuple(self._question(slug) for slug in record.get("questions", ()) if slug in self._questions),
            tables=self._tables(iri),
            row=self._row(record["row"], own=True) if "row" in record else None,
            diagram=self._links_of(iri) if record["kind"] == "class" else None,
        )

    def named(self, iri: str) -> Piece:
        """An IRI under its label, with its place."""
        if iri not in self._named:
            text, language = self._describer.label(iri, self._labels)
            self._named[iri] = Piece("iri", text, self._url(iri), iri, language)
        return self._named[iri]

    def _url(self, iri: str) -> str:
        """The place of an IRI: an anchor on this page, our page about it, or none."""
        if iri in self._missing:
            return ""
        url = self._describer.url(iri)
        document, hash_, anchor = url.partition("#")
        here = self._describer.links.url(self._iri)
        return f"#{anchor}" if hash_ and anchor and document == here and iri in self._all["terms"] else url

    def phrase(self, pieces: Iterable[Sequence[str]]) -> Phrase:
        return tuple(self._piece(piece) for piece in pieces)

    def _piece(self, piece: Sequence[str]) -> Piece:
        kind, text = piece[0], piece[1]
        if kind == "iri":
            return self.named(text)
        if kind != "text":
            return Piece(kind, text)
        language, datatype = piece[2], piece[3]
        link = text if datatype == XSD.anyURI.value and clickable(text) else ""
        shown = "" if datatype.startswith(XSD.iri) else datatype and self._describer.short(datatype)
        return Piece("day" if datatype in _DAYS else "text", text, link, language=language, datatype=shown)

    def _texts(self, values: Iterable[Any]) -> list[Piece]:
        """Literals, the reader's language first."""
        pieces = [self._piece(pieces[0]) for pieces, _ in values if len(pieces) == 1 and pieces[0][0] == "text"]
        return sorted(pieces, key=self._preference)

    def _preference(self, piece: Piece) -> tuple[int, str, str]:
        languages = self._describer.languages
        place = languages.index(piece.language) if piece.language in languages else len(languages)
        return (place, piece.language, piece.text.casefold())

    def _listed(self, iris: Iterable[str]) -> tuple[Piece, ...]:
        return tuple(sorted(map(self.named, iris), key=lambda name: (name.text.casefold(), name.iri)))

    def _types(self, record: Mapping[str, Any]) -> tuple[Piece, ...]:
        """The types that the part of the document does not tell already."""
        types = [piece for pieces, _ in record["said"].get(RDF.type.value, []) for piece in self.phrase(pieces)]
        return tuple(piece for piece in types if piece.iri and piece.iri not in _PLAIN_TYPES)

    def _facts(self, record: Mapping[str, Any]) -> Iterable[Fact]:
        said: Mapping[str, Any] = record["said"]
        summary = next((name.value for name in SUMMARIES if name.value in said), "")
        shape = record["kind"] in ("node-shape", "property-shape")
        order = {iri: number for number, (_, iri) in enumerate(_FACTS)}
        keys = {iri: key for key, iri in _FACTS}
        for property_ in sorted(said, key=lambda iri: (order.get(iri, len(order)), iri)):
            in_table = shape and property_.startswith(SH.iri) and property_ not in _OF_SHAPES
            if property_ in _TOLD or property_ == summary or in_table:
                continue
            values = [Stated(self.phrase(pieces), self._source(graph)) for pieces, graph in said[property_]]
            values.sort(key=lambda value: self._preference(value.phrase[0]) if value.phrase else (0, "", ""))
            yield Fact(keys.get(property_, ""), self.named(property_), tuple(values))

    def _source(self, graph: str) -> Source | None:
        return self._describer.sources.get(graph) if graph else None

    def _example(self, iri: str, record: Mapping[str, Any]) -> tuple[Piece, Piece, Phrase] | None:
        if "example" not in record:
            return None
        subject, pieces = record["example"]
        return self.named(subject), self.named(iri), self.phrase(pieces)

    def _question(self, slug: str) -> Piece:
        titles = self._questions[slug].in_languages("title")
        text, language = self._describer.pick(titles) or (slug, "")
        return Piece("iri", text, self._describer.links.site(f"query/{slug}"), language=language)

    def _tables(self, iri: str) -> tuple[Table, ...]:
        """The table of a node shape, or those of a class's shapes."""
        own = [iri] if iri in self._all["tables"] else []
        names = dict.fromkeys((*own, *self._all["targets"].get(iri, ())))
        return tuple(self._table(name, name != iri) for name in names)

    def _table(self, name: str, named: bool) -> Table:
        record = self._all["tables"][name]
        shape = self.named(name) if named and not name.startswith("_:") else None
        rows = tuple(self._row(row, own=False) for row in record["rows"])
        return Table(shape, rows, tuple(self._condition(row, own=True) for row in record["conditions"]))

    def _row(self, row: Mapping[str, Any], *, own: bool) -> Row:
        path = self.phrase(row["path"])
        text, language = self._describer.pick(row["names"]) or ("", "")
        property_ = self.named(row["property"]) if row["property"] else None
        if not text and property_ is not None and not row["inverse"]:
            text, language = property_.text, property_.language
        name = Piece("iri", text, property_.url if property_ else "", row["property"], language)
        wished = _cardinality(row.get("wished_min", row.get("min")), row.get("wished_max", row.get("max")))
        asked = _cardinality(row.get("min"), row.get("max"))
        return Row(
            name=name,
            path=path,
            cardinality=asked,
            wished="" if wished == asked else wished,
            types=tuple(self.phrase(pieces) for pieces in row["types"]),
            conditions=tuple(self._condition(condition, own=own) for condition in row["conditions"]),
        )

    def _condition(self, record: Mapping[str, Any], *, own: bool) -> Condition:
        picked = self._describer.pick(record["messages"])
        shape = "" if own or record["shape"].startswith("_:") else record["shape"]
        return Condition(
            severity=record["severity"],
            message=Piece("text", picked[0], language=picked[1]) if picked else None,
            phrase=self.phrase(record["phrase"]),
            shape=self.named(shape) if shape else None,
        )

    def _name(self, iri: str) -> Name:
        piece = self.named(iri)
        return Name(piece.text, piece.url, iri, piece.language, outside=iri not in self._all["terms"])

    def _links_of(self, iri: str) -> Drawing | None:
        """The class with the classes that its shapes lead to."""
        links = [
            (Name(made.name.text, made.name.url, row["property"], made.name.language), self._name(class_))
            for shape in self._all["targets"].get(iri, ())
            for row in self._all["tables"][shape]["rows"]
            if not row["inverse"] and row["property"] and row["classes"]
            for made in [self._row(row, own=False)]
            for class_ in row["classes"]
        ]
        return neighbours(self._name(iri), list(dict.fromkeys(links))[:_LINKED]) if links else None

    def _tree(self, classes: Sequence[str]) -> tuple[Branch, ...]:
        """The classes below what they are kinds of; each once with all below it, elsewhere only named again.

        Of other people's classes only those stand here that have no superclass of ours beside them.
        """
        parents = {iri: self._parents(iri) for iri in classes}
        below: dict[str, list[str]] = {}
        for iri, above in parents.items():
            for parent in above:
                below.setdefault(parent, []).append(iri)
        tops = [iri for iri in below if iri not in parents] + [iri for iri in classes if not parents[iri]]
        drawn: set[str] = set()

        def branch(iri: str) -> Branch:
            if iri in drawn:
                return Branch(self._name(iri), again=True)
            drawn.add(iri)
            return Branch(self._name(iri), tuple(branch(child) for child in self._sorted(below.get(iri, ()))))

        made = [branch(iri) for iri in self._sorted(tops)]
        made += [branch(iri) for iri in self._sorted(classes) if iri not in drawn]  # those that are kinds of each other
        return tuple(sorted(made, key=lambda top: not top.children))

    def _parents(self, iri: str) -> list[str]:
        """The superclasses by name: ours, else the one of others that most of our classes have, if several have it."""
        named = [parent for parent in _alone(self._all["terms"][iri]) if parent not in (iri, OWL.Thing.value)]
        ours = [parent for parent in named if self._all["terms"].get(parent, {}).get("kind") == "class"]
        if ours or not named:
            return ours
        return [min(named, key=lambda parent: (-self._shared.get(parent, 0), parent))]

    @cached_property
    def _shared(self) -> dict[str, int]:
        """How many classes of the document have a superclass."""
        counted: dict[str, int] = {}
        for iri in self._document["terms"].get("class", ()):
            for parent in _alone(self._all["terms"][iri]):
                counted[parent] = counted.get(parent, 0) + 1
        return counted

    def _sorted(self, iris: Iterable[str]) -> list[str]:
        return sorted(dict.fromkeys(iris), key=lambda iri: (self.named(iri).text.casefold(), iri))


_ORDER = (
    *("ontology", "class", "object-property", "datatype-property", "annotation-property", "property", "datatype"),
    *("node-shape", "property-shape", "group", "scheme", "concept", "individual"),
)
#: Lists of other terms that a record has under these keys.
_RELATED = ("narrower", "inverse", "disjoint", "constrained", "used_by", "samples")


def _alone(record: Mapping[str, Any]) -> list[str]:
    """The superclasses that have names."""
    stated = record["said"].get(RDFS.subClassOf.value, [])
    return [pieces[0][1] for pieces, _ in stated if len(pieces) == 1 and pieces[0][0] == "iri"]


def _cardinality(least: int | None, most: int | None) -> str:
    """`0..*`, `1..*`, `0..1`, `1` and the like."""
    low, high = least or 0, "*" if most is None else str(most)
    return high if str(low) == high else f"{low}..{high}"

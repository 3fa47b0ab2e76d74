"""Why the release holds a statement: who states it, or the rules, axioms and premises that it follows from."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, render_template, request
from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from tracktwo.errors import NotFound, Sentence
from tracktwo.explain import Derivation, Explanation, Stated
from tracktwo.formats import HTML, JSON_OBJECT, Format
from tracktwo.links import is_valid_iri
from tracktwo.namespaces import RDF
from tracktwo.terms import Node, Term
from tracktwo.view import Source, Value
from tracktwo.web.headers import Link
from tracktwo.web.respond import Resource, fixed, represent
from tracktwo.web.site import Site

routes = Blueprint("why", __name__)

_FORMATS: tuple[Format, ...] = (JSON_OBJECT, HTML)
_PARAMETERS = ("subject", "property", "object", "value", "datatype", "language")
_USAGE = Sentence(
    "Name a statement: /why?subject=…&property=…&object=…, or for a literal &value=…&datatype=…&language=…"
)


@dataclass(frozen=True)
class Line:
    """A statement as it is shown: its terms, who states it, and what it follows from.

    `published` says that a graph holds it; `again` and `gave_up` are those of an `Explanation`.
    """

    subject: Value
    property: Value
    object: Value
    sources: tuple[Source, ...]
    steps: tuple["Step", ...] = ()
    published: bool = True
    again: bool = False
    gave_up: bool = False


@dataclass(frozen=True)
class Step:
    """One derivation as it is shown."""

    rule: str
    axioms: tuple[Line, ...]
    premises: tuple[Line, ...]


@routes.get("/why")
@routes.get("/why.<suffix>")
def why(suffix: str = "") -> Response:
    """A statement explained: `object` is an IRI; `value`, `datatype` and `language` make a literal."""
    site: Site = g.site
    given = {name: request.args[name] for name in _PARAMETERS if request.args.get(name)}
    triple = asked(site, given)
    explanation = site.explainer.explain(triple)
    if explanation is None:
        raise NotFound(Sentence("The release does not hold the statement %(triple)s.", triple=triple))
    format_ = fixed(suffix, _FORMATS) if suffix else None

    def body(chosen: Format, head: Sequence[Link]) -> bytes | str:
        if chosen is JSON_OBJECT:
            return json.dumps(_as_json(explanation), ensure_ascii=False, indent=1) + "\n"
        return render_template("why.html", head=head, line=_Page(site, explanation).line(explanation))

    def url(path: str) -> str:
        return site.links.full(site.links.neutral.site(path, **given))

    def variant(format_: Format) -> str:
        return url(f"why.{format_.suffix}")

    return represent(site, Resource(_FORMATS, variant, body, page=url("why")), format_)


def asked(site: Site, given: Mapping[str, str]) -> Triple:
    """The statement that the parameters name; raises `NotFound` where they name none."""
    subject, property_ = _node(site, given.get("subject", "")), _node(site, given.get("property", ""))
    object_ = _node(site, given["object"]) if "object" in given else _literal(given)
    if subject is None or not isinstance(property_, NamedNode) or object_ is None:
        raise NotFound(_USAGE)
    return Triple(subject, property_, object_)


def _node(site: Site, text: str) -> Node | None:
    """An IRI, or a blank node by its label or by the IRI that stands for it."""
    try:
        if text.startswith("_:"):
            return BlankNode(text[2:])
        if text.startswith(site.publication.skolem_prefix):
            return BlankNode(text.removeprefix(site.publication.skolem_prefix))
    except ValueError:
        return None
    return NamedNode(text) if is_valid_iri(text) else None


def _literal(given: Mapping[str, str]) -> Literal | None:
    text, datatype, language = (given.get(name, "") for name in ("value", "datatype", "language"))
    try:
        if language:
            return Literal(text, language=language)
        return Literal(text, datatype=NamedNode(datatype)) if datatype else Literal(text)
    except ValueError:
        return None


class _Page:
    """The lines of one page, the labels of everything on it looked up at once."""

    def __init__(self, site: Site, explanation: Explanation) -> None:
        self._describer = site.describer
        stated = list(_all(explanation))
        terms = {term: None for one in stated for term in (one.triple.subject, one.triple.predicate, one.triple.object)}
        axioms = [
            axiom for one in stated if isinstance(one, Stated) for axiom in (one.triple.subject, one.triple.object)
        ]
        classes = [one.triple.object for one in stated if one.triple.predicate == RDF.type]
        self._values = self._describer.values(terms, unfolded=[*axioms, *classes])

    def line(self, said: Explanation | Stated) -> Line:
        """A statement, with what it follows from."""
        triple = said.triple
        known = (self._describer.sources[graph] for graph in said.graphs if graph in self._describer.sources)
        sources = tuple(source for source in known if not source.inferred)
        terms = self._values[triple.subject], self._values[triple.predicate], self._values[triple.object]
        if isinstance(said, Stated):
            return Line(*terms, sources)
        steps = tuple(self._step(derivation) for derivation in said.derivations)
        return Line(*terms, sources, steps, bool(said.graphs), said.again, said.gave_up)

    def _step(self, derivation: Derivation) -> Step:
        axioms = tuple(self.line(axiom) for axiom in derivation.axioms)
        return Step(derivation.rule, axioms, tuple(self.line(premise) for premise in derivation.premises))


def _all(explanation: Explanation) -> Iterator[Explanation | Stated]:
    """Everything that an explanation speaks of."""
    yield explanation
    for derivation in explanation.derivations:
        yield from derivation.axioms
        for premise in derivation.premises:
            yield from _all(premise)


def _as_json(explanation: Explanation) -> dict[str, Any]:
    return {
        **_stated_as_json(explanation),
        **({"again": True} if explanation.again else {}),
        **({"gaveUp": True} if explanation.gave_up else {}),
        "derivations": [
            {
                "rule": derivation.rule,
                "axioms": [_stated_as_json(axiom) for axiom in derivation.axioms],
                "premises": [_as_json(premise) for premise in derivation.premises],
            }
            for derivation in explanation.derivations
        ],
    }


def _stated_as_json(said: Explanation | Stated) -> dict[str, Any]:
    triple = said.triple
    return {
        "subject": _term_as_json(triple.subject),
        "property": _term_as_json(triple.predicate),
        "object": _term_as_json(triple.object),
        "graphs": list(said.graphs),
    }


def _term_as_json(term: Term) -> dict[str, str]:
    """A term as SPARQL 1.1 Query Results JSON has it (section 3.2.2)."""
    if isinstance(term, Literal):
        tagged = {"xml:lang": term.language} if term.language else {"datatype": term.datatype.value}
        return {"type": "literal", "value": term.value, **tagged}
    if isinstance(term, NamedNode):
        return {"type": "uri", "value": term.value}
    return {"type": "bnode", "value": str(term).removeprefix("_:")}

"""IRIs that dereference: things by 303, documents in every format, terms, graphs, other people's IRIs."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from itertools import chain
from urllib.parse import quote

from flask import Blueprint, Response, g, render_template, request
from pyoxigraph import BlankNode, NamedNode, Quad

from tracktwo import serialise
from tracktwo.errors import BadRequest, NotFound, Sentence
from tracktwo.formats import DOCUMENT_FORMATS, HTML, Format, named
from tracktwo.links import is_valid_iri
from tracktwo.namespaces import OWL, VOID
from tracktwo.store import GRAPH, Answer
from tracktwo.terms import Node, name_of
from tracktwo.view import View
from tracktwo.web import structured
from tracktwo.web.headers import Link
from tracktwo.web.language import without_language
from tracktwo.web.respond import Body, Resource, fixed, redirect, represent
from tracktwo.web.site import Site

routes = Blueprint("documents", __name__)

_TYPES_LINKED = 5
_SUBJECTS_SHOWN = 500  # sections of one page; the other formats have all


@routes.get("/<path:_path>")
def dereference(_path: str) -> Response:
    """Whatever is published under this path: a thing, a document, or one format of a document."""
    site: Site = g.site
    raw = _raw_path()
    candidates = list(site.links.candidates(raw))
    for query in reversed(_queries()):
        candidates[:0] = site.links.candidates(f"{raw}?{query}")
    things = site.catalog.described(filter(site.links.is_thing, candidates))
    if things:
        return _see_other(site, things[0], raw)
    if document := _found(site, candidates):
        return _document(site, document, raw, None)
    if version := _version_of(site, candidates):
        return redirect(site.links.full(site.links.url(version)), HTTPStatus.SEE_OTHER)
    return _variant(site, candidates)


def _version_of(site: Site, candidates: Sequence[str]) -> str | None:
    """The ontology that has one of the IRIs as its version IRI (OWL 2, section 3.3), or as the version before it.

    Of an earlier version only the name is left; the ontology that came after it says what has changed.
    """
    found = (
        site.catalog.links(iri, property_.value, "", 1)
        for iri in candidates
        for property_ in (OWL.versionIRI, OWL.priorVersion)
    )
    return next((entries[0].iri for entries in found if entries), None)


@routes.get("/describe")
def describe() -> Response:
    """What our graph says of an IRI that lies beyond the base."""
    site: Site = g.site
    iri = request.args.get("iri", "")
    if not is_valid_iri(iri):
        raise NotFound(Sentence("Name an absolute IRI: /describe?iri=…"))
    known = site.catalog.mentioned(forms := site.links.spellings(iri))
    meant = next((form for form in forms if form in known or form in site.describer.graphs), None)
    if meant is None:
        raise NotFound(Sentence("Nothing is said here about <%(iri)s>.", iri=iri))
    if site.links.is_ours(meant) and site.catalog.described([meant]):
        return redirect(site.links.full(site.links.url(meant)), HTTPStatus.SEE_OTHER)
    if meant != iri:
        return redirect(site.links.full(site.links.site("describe", iri=meant)), HTTPStatus.MOVED_PERMANENTLY)
    return _represent(site, iri, [NamedNode(iri)], _format_named(request.args.get("format", "")))


def _format_named(name: str) -> Format | None:
    """The format that goes by a name, None where none is named; raises `BadRequest` for one that nothing has."""
    format_ = named(name, DOCUMENT_FORMATS) if name else None
    if name and format_ is None:
        known = ", ".join(row.name for row in DOCUMENT_FORMATS)
        raise BadRequest(
            Sentence("No format is called “%(name)s”.", name=name),
            hint=Sentence("Available: %(formats)s", formats=known),
        )
    return format_


@routes.get("/.well-known/genid/<label>")
def blank_node(label: str) -> Response:
    """A node without a name, under an IRI that lasts as long as the release (RDF 1.1 Concepts section 3.5)."""
    site: Site = g.site
    name, dot, suffix = label.partition(".")
    if not re.fullmatch(r"[A-Za-z0-9]+", name) or not site.catalog.described([f"_:{name}"]):
        raise NotFound(Sentence("No node without a name is known by this label in the present release."))
    format_ = fixed(suffix, DOCUMENT_FORMATS) if dot else None
    return _represent(site, site.publication.skolem_prefix + name, [BlankNode(name)], format_)


def _raw_path() -> str:
    """The path below the root as it was sent: decoded, as WSGI has it, `%2F` would be taken for `/`."""
    raw: str = request.environ.get("tracktwo.raw_path") or quote(
        request.environ["PATH_INFO"].encode("latin-1"), safe="%/:@!$&'()*+,;=~-._"
    )
    return raw.lstrip("/") if not raw.startswith("//") else raw[1:]


def _queries() -> list[str]:
    """The query that may belong to an IRI: as it was sent, then without the language of the page."""
    sent = request.query_string.decode("latin-1")
    return [query for query in dict.fromkeys((sent, without_language(sent))) if query]


def _meant(site: Site) -> str:
    """The IRI that was asked for, without the language of the page."""
    query = without_language(request.query_string.decode("latin-1"))
    return next(site.links.candidates(_raw_path() + (f"?{query}" if query else "")))


def _see_other(site: Site, thing: str, raw: str) -> Response:
    """303 to the thing's document; where the path was another spelling, first to the thing itself."""
    own = site.links.path(thing)
    if own != site.links.root + raw:
        return redirect(site.links.full(own), HTTPStatus.MOVED_PERMANENTLY)
    document = site.links.document(thing)
    alternates = [Link(_variant_url(site, document, row), "alternate", row.media_type) for row in DOCUMENT_FORMATS]
    links = [Link(site.links.full(site.links.path(document)), "describedby"), *alternates]
    return redirect(site.links.full(site.links.url(thing)), HTTPStatus.SEE_OTHER, links, negotiated=True)


def _found(site: Site, candidates: Sequence[str]) -> tuple[str, list[str]] | None:
    """The first of the IRIs that is a document, since it describes something or is a named graph; and its subjects."""
    subjects = site.catalog.subjects(candidates)
    found = next((iri for iri in candidates if iri in subjects or iri in site.describer.graphs), None)
    return (found, subjects.get(found, [])) if found is not None else None


def _variant(site: Site, candidates: Sequence[str]) -> Response:
    """A document in the one format that the path's suffix names."""
    for format_ in DOCUMENT_FORMATS:
        stems = [iri.removesuffix(f".{format_.suffix}") for iri in candidates if iri.endswith(f".{format_.suffix}")]
        if stems and (document := _found(site, stems)):
            return _document(site, document, "", format_)
    raise NotFound(Sentence("Nothing is published under <%(iri)s>.", iri=_meant(site)))


def _document(site: Site, document: tuple[str, list[str]], raw: str, format_: Format | None) -> Response:
    """A document, given with its subjects."""
    iri, names = document
    own = site.links.path(iri)
    sent = (site.links.root + raw, *(f"{site.links.root}{raw}?{query}" for query in _queries()))
    if format_ is None and own not in sent:
        return redirect(site.links.full(site.links.url(iri)), HTTPStatus.MOVED_PERMANENTLY)
    subjects: list[Node] = [NamedNode(name) for name in names]
    return _represent(site, iri, subjects or [NamedNode(iri)], format_)


def _represent(site: Site, document: str, subjects: Sequence[Node], format_: Format | None) -> Response:
    """A document in a fixed format, or in the one that is negotiated."""
    main = _main(site, document, subjects)
    links = [
        Link(document, "canonical"),
        Link(main, "describes"),
        Link(main, "cite-as"),
        Link(site.publication.dataset_iri, "collection"),
        *([Link(site.publication.licence, "license")] if site.publication.licence else []),
        *(Link(class_.iri, "type") for class_ in site.catalog.classes_of(_name(subjects, main))[:_TYPES_LINKED]),
    ]

    def body(chosen: Format, head: Sequence[Link]) -> Body:
        if chosen is HTML:
            return _page(site, document, subjects, head)
        return _rdf(site, document, subjects, chosen)

    return represent(
        site, Resource(DOCUMENT_FORMATS, lambda row: _variant_url(site, document, row), body, links), format_
    )


def _name(subjects: Sequence[Node], main: str) -> str:
    """What the catalogue calls the document's main subject."""
    return name_of(subjects[0]) if isinstance(subjects[0], BlankNode) else main


def _variant_url(site: Site, document: str, format_: Format) -> str:
    """The absolute URL of one format of a document."""
    return site.links.full(site.links.variant(document, format_.suffix))


def _main(site: Site, document: str, subjects: Sequence[Node]) -> str:
    """What the document is chiefly about: its thing, itself if it is a subject, else its first subject."""
    names = [subject.value for subject in subjects if isinstance(subject, NamedNode)]
    likely = (site.links.thing_of(document) or document, document)
    return next((name for name in likely if name in names), names[0] if names else document)


def _rdf(site: Site, document: str, subjects: Sequence[Node], format_: Format) -> Body:
    here = NamedNode(document)
    about = Quad(here, VOID.inDataset, NamedNode(site.publication.dataset_iri))
    size = site.release.manifest["statistics"]["graphs"].get(document, 0)
    if size > site.publication.limits.document_triples:
        chunks = serialise.streamed(
            format_, lambda: chain(site.describer.streamed(document), [about]), site.publication.prefixes
        )
        return Answer(GRAPH, format_, chunks, chunks.close)
    quads = (
        site.describer.document(document)
        if (isinstance(subjects[0], NamedNode) and site.catalog.documents_among([document]))
        or document in site.describer.graphs
        else site.describer.statements(subjects)
    )
    renamed = [_named(quad, subjects[0], here) for quad in quads] if isinstance(subjects[0], BlankNode) else quads
    return serialise.document(format_, [*renamed, about], site.publication.prefixes)


def _named(quad: Quad, node: Node, name: NamedNode) -> Quad:
    """The quad with a blank node replaced by the IRI that stands for it."""
    subject = name if quad.subject == node else quad.subject
    return Quad(subject, quad.predicate, name if quad.object == node else quad.object, quad.graph_name)


def _page(site: Site, document: str, subjects: Sequence[Node], links: Sequence[Link]) -> str:
    if len(subjects) > 1 and document in site.vocabularies:
        page = site.vocabularies.page(document, site.describer, site.questions)
        size = site.release.manifest["statistics"]["graphs"].get(document)
        return render_template("vocabulary.html", page=page, head=links, document=document, graph_size=size)
    main = _main(site, document, subjects)
    ordered = sorted(subjects, key=lambda subject: subject.value != main)[:_SUBJECTS_SHOWN]
    views = _views(site, ordered, main)
    statistics = site.release.manifest["statistics"]
    template = "entity.html" if len(views) == 1 else "terms.html"
    return render_template(
        template,
        views=views,
        view=views[0],
        document=document,
        head=links,
        structured=structured.entity(views[0]),
        hidden=len(subjects) - len(ordered),
        graph_size=statistics["graphs"].get(document),
        uses=statistics["properties"],
        classes=_members(site, views),
    )


def _views(site: Site, subjects: Sequence[Node], main: str) -> list[View]:
    """All that a page has of one entity, or views of several, with what links to the one that they belong to."""
    if len(subjects) == 1:
        return [site.describer.page(subjects[0])]
    return site.describer.views(subjects, incoming=subjects[:1] if subjects[0].value == main else ())


def _members(site: Site, views: Sequence[View]) -> dict[str, tuple[str, int]]:
    """(browse URL, members) of the classes among the entities of a page."""
    shown = {view.iri for view in views}
    return {
        class_.iri: (site.links.site("browse/" + class_.slug), class_.members)
        for class_ in site.catalog.classes()
        if class_.iri in shown
    }

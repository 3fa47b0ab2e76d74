"""Saved queries as pages to cite: `/query/SLUG`, with parameters, in HTML and in every format of results."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, g, render_template, request
from pyoxigraph import NamedNode

from tracktwo import question as questions
from tracktwo.entity import Value
from tracktwo.errors import BadRequest, NotFound
from tracktwo.formats import DOCUMENT_FORMATS, HTML, JSON, RDF_FORMATS, RESULT_FORMATS, TURTLE, XML, Format
from tracktwo.links import is_valid_iri
from tracktwo.question import Question
from tracktwo.release import dump
from tracktwo.store import Query
from tracktwo.web import answers
from tracktwo.web.respond import Link, Resource, fixed, represent
from tracktwo.web.site import Site

routes = Blueprint("questions", __name__)

_FORMATS: tuple[Format, ...] = (*RESULT_FORMATS, *RDF_FORMATS, HTML)
_SUFFIXES = {"json": JSON.suffix, "xml": XML.suffix}  # what people write for the registered endings
_CHOICES = 500  # members that a picker lists; beyond, the IRI is typed


@routes.get("/query/")
@routes.get("/query/index.<suffix>")
def all_questions(suffix: str = "") -> Response:
    """All saved queries, for people or as RDF."""
    site: Site = g.site

    def body(format_: Format, head: Sequence[Link]) -> bytes | str:
        if format_ is HTML:
            return render_template("questions.html", head=head, questions=site.questions)
        return _described(site, site.questions, format_)

    resource = Resource(DOCUMENT_FORMATS, lambda row: site.links.absolute(f"query/index.{row.suffix}"), body)
    return represent(site, resource, fixed(suffix, DOCUMENT_FORMATS) if suffix else None)


@routes.get("/query/<slug>")
def one_question(slug: str) -> Response:
    """A saved query: its page, its results, or its description, as negotiated or as the suffix has it."""
    site: Site = g.site
    by_slug = {question.slug: question for question in site.questions}
    stem, _, suffix = slug.rpartition(".")
    question = by_slug.get(slug) or by_slug.get(stem)
    if question is None:
        raise NotFound(f"No saved query is called “{slug}”.")
    text = _text(site, question)
    if slug not in by_slug and suffix == "rq":
        return Response(text, content_type="application/sparql-query")

    def body(format_: Format, head: Sequence[Link]) -> bytes | str:
        if format_ is HTML:
            return _page(site, question, text, head)
        if format_.rdf:
            return _described(site, [question], format_)
        return site.store.answer(_query(text, format_)).read()

    resource = Resource(_FORMATS, lambda row: _url(site, question, row.suffix), body)
    return represent(site, resource, None if slug in by_slug else fixed(_SUFFIXES.get(suffix, suffix), _FORMATS))


def _query(text: str, results: Format) -> Query:
    gone = {"gone": request.environ["tracktwo.gone"]} if "tracktwo.gone" in request.environ else {}
    return Query(text, results=results, graph=TURTLE, client=request.remote_addr or "", **gone)


def _text(site: Site, question: Question) -> str:
    """The query's text with the parameters that the request names put in."""
    known = question.parameters(site.publication.prefixes)
    values = {}
    for name in known:
        if given := request.args.get(name):
            if not is_valid_iri(given):
                raise BadRequest(f"The parameter “{name}” must be an absolute IRI, not “{given}”.")
            values[name] = NamedNode(given)
    return question.bound(values)


def _url(site: Site, question: Question, suffix: str) -> str:
    """The absolute URL of one format, with the request's parameters."""
    known = question.parameters(site.publication.prefixes)
    given = {name: request.args[name] for name in known if request.args.get(name)}
    return site.links.full(site.links.site(f"query/{question.slug}.{suffix}", **given))


def _described(site: Site, asked: list[Question], format_: Format) -> bytes:
    base, endpoint = site.publication.named("query/"), site.links.absolute("sparql")
    triples = questions.described(asked, base, endpoint, site.publication.prefixes)
    return dump.triples(format_, triples, site.publication.prefixes)


def _page(site: Site, question: Question, text: str, links: Sequence[Link]) -> str:
    answer = site.store.answer(_query(text, JSON))
    result = answers.shown(site, answer)
    return render_template(
        "question.html", head=links, question=question, text=text, pickers=_pickers(site, question), **result
    )


def _pickers(site: Site, question: Question) -> list[dict[str, Any]]:
    """For each parameter its value, and the members of the value's class to choose from."""
    pickers = []
    for name, default in question.parameters(site.publication.prefixes).items():
        stated = [class_ for class_ in site.catalog.classes_of(default) if class_.stated]
        choices: list[Value] = []
        if stated and stated[0].members <= _CHOICES:
            choices = site.describer.listing(site.catalog.members(stated[0].slug, "", _CHOICES))
        pickers.append({"name": name, "value": request.args.get(name) or default, "choices": choices})
    return pickers

"""Saved queries as pages to cite: `/query/SLUG`, with parameters, in HTML and in every format of results."""

from typing import Any

from flask import Blueprint, Response, g, render_template, request
from pyoxigraph import NamedNode

from tracktwo import question as questions
from tracktwo.entity import Value
from tracktwo.errors import BadRequest, NotAcceptable, NotFound
from tracktwo.formats import HTML, JSON, RDF_FORMATS, RESULT_FORMATS, TURTLE, Format, named, negotiate
from tracktwo.links import is_valid_iri
from tracktwo.question import Question
from tracktwo.release import dump
from tracktwo.store import Query
from tracktwo.terms import in_graph
from tracktwo.web import answers
from tracktwo.web.respond import Link, Representation, respond
from tracktwo.web.site import Site

routes = Blueprint("questions", __name__)

_FORMATS: tuple[Format, ...] = (*RESULT_FORMATS, *RDF_FORMATS, HTML)
_CHOICES = 500  # members that a picker lists; beyond, the IRI is typed


@routes.get("/query/")
def all_questions() -> Response:
    """All saved queries, for people or as RDF."""
    site: Site = g.site
    offered = (*RDF_FORMATS, HTML)
    chosen = negotiate(request.headers.get("Accept"), offered)
    if chosen is None:
        raise NotAcceptable("None of the formats that you accept is available.", [row.media_type for row in offered])

    def body() -> bytes | str:
        if chosen is HTML:
            return render_template("questions.html", head=[], questions=site.questions)
        return _described(site, site.questions, chosen)

    return respond(site, Representation(chosen, body, negotiated=True))


@routes.get("/query/<slug>")
def one_question(slug: str) -> Response:
    """A saved query: its page, its results, or its description, as negotiated or as the suffix has it."""
    site: Site = g.site
    by_slug = {question.slug: question for question in site.questions}
    question, format_ = by_slug.get(slug), None
    if question is None:
        stem, _, suffix = slug.rpartition(".")
        question, format_ = by_slug.get(stem), named(suffix, _FORMATS)
        if question is None or (format_ is None and suffix != "rq"):
            raise NotFound(f"No saved query is called “{slug}”.")
        if format_ is None:
            return Response(_text(site, question), content_type="application/sparql-query")
    return _represent(site, question, format_)


def _represent(site: Site, question: Question, format_: Format | None) -> Response:
    text = _text(site, question)
    links = [Link(_url(site, question, row.suffix), "alternate", row.media_type) for row in _FORMATS]
    g.variants = links
    chosen = format_ or negotiate(request.headers.get("Accept"), _FORMATS)
    if chosen is None:
        raise NotAcceptable("None of the formats that you accept is available.", [row.media_type for row in _FORMATS])

    def body() -> bytes | str:
        if chosen is HTML:
            return _page(site, question, text, links)
        if chosen.rdf:
            return _described(site, [question], chosen)
        return site.store.answer(_query(text, chosen)).read()

    location = "" if format_ else _url(site, question, chosen.suffix)
    return respond(site, Representation(chosen, body, links, negotiated=format_ is None, location=location))


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
    return dump.document(format_, [in_graph(triple) for triple in triples], site.publication.prefixes)


def _page(site: Site, question: Question, text: str, links: list[Link]) -> str:
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

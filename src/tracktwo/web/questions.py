"""Saved queries as pages to cite: `/query/SLUG`, with parameters, in HTML and in every format of results."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request
from pyoxigraph import Literal, NamedNode

from tracktwo import pictures, serialise
from tracktwo import question as questions
from tracktwo.errors import BadRequest, NotFound, Sentence
from tracktwo.formats import (
    DOCUMENT_FORMATS,
    HTML,
    JSON,
    RDF_FORMATS,
    RESULT_FORMATS,
    SPARQL_QUERY,
    TURTLE,
    XML,
    Format,
    negotiate,
)
from tracktwo.links import is_valid_iri
from tracktwo.namespaces import XSD
from tracktwo.question import LANGUAGE, Question
from tracktwo.store import Query
from tracktwo.view import Value
from tracktwo.web import answers
from tracktwo.web.headers import NO_STORE, Link
from tracktwo.web.language import own_name
from tracktwo.web.respond import KEPT, Body, Representation, Resource, fixed, represent, respond
from tracktwo.web.site import Site

routes = Blueprint("questions", __name__)

_FORMATS: tuple[Format, ...] = (*RESULT_FORMATS, *RDF_FORMATS, HTML)
_SUFFIXES = {"json": JSON.suffix, "xml": XML.suffix}  # what people write for the registered endings
#: How a literal of a datatype is typed, and what it must look like (XML Schema part 2, without time zones).
_DATATYPES: dict[NamedNode, tuple[str, str, str]] = {
    XSD.integer: ("number", r"[+-]?\d+", "a whole number"),
    XSD.decimal: ("number", r"[+-]?\d+(\.\d+)?", "a number"),
    XSD.gYear: ("number", r"-?\d{4,}", "a year"),
    XSD.gYearMonth: ("month", r"-?\d{4,}-\d\d", "a month such as 2026-01"),
    XSD.date: ("date", r"-?\d{4,}-\d\d-\d\d", "a date such as 2026-01-31"),
    XSD.time: ("time", r"\d\d:\d\d(:\d\d)?", "a time such as 08:30:00"),
    XSD.boolean: ("text", "true|false", "true or false"),
}
_FIELDS = {datatype.value: field for datatype, (field, _, _) in _DATATYPES.items()}
_FORMS = {datatype.value: (pattern, what) for datatype, (_, pattern, what) in _DATATYPES.items()}
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

    resource = Resource(
        DOCUMENT_FORMATS,
        lambda row: site.links.absolute(f"query/index.{row.suffix}"),
        body,
        page=site.links.absolute("query/"),
    )
    return represent(site, resource, fixed(suffix, DOCUMENT_FORMATS) if suffix else None)


@routes.get("/query/<slug>")
def one_question(slug: str) -> Response:
    """A saved query: its page, its results, or its description, as negotiated or as the suffix has it."""
    site: Site = g.site
    by_slug = {question.slug: question for question in site.questions}
    stem, _, suffix = slug.rpartition(".")
    question = by_slug.get(slug) or by_slug.get(stem)
    if question is None:
        raise NotFound(Sentence("No saved query is called “%(name)s”.", name=slug))
    asked = _asked_with(site, question)
    if slug not in by_slug and suffix == "rq":
        return respond(site, Representation(SPARQL_QUERY, lambda: _text(site, question, asked)))
    format_ = None if slug in by_slug else fixed(_SUFFIXES.get(suffix, suffix), _FORMATS)
    is_page = (format_ or negotiate(request.headers.get("Accept"), _FORMATS)) is HTML
    given = _spoken(site, question) | asked if is_page else asked
    text = _text(site, question, given)

    def body(format_: Format, head: Sequence[Link]) -> Body:
        if format_ is HTML:
            return _page(site, question, text, given, head)
        if format_.rdf:
            return _described(site, [question], format_)
        return site.store.answer(_query(text, format_))

    cache = KEPT if answers.is_lasting(_query(text, JSON)) else NO_STORE
    page = _url(site, question.slug, asked)  # in another language it is filled with another one
    resource = Resource(
        _FORMATS, lambda row: _url(site, f"{question.slug}.{row.suffix}", given), body, page=page, cache=cache
    )
    return represent(site, resource, format_)


def overview(site: Site) -> pictures.Overview | None:
    """The first of the questions that is drawn as a timeline, in small; asked once for a release and a language.

    Raises what the store does where it can't answer just now.
    """
    question = next((question for question in site.questions if question.picture == "timeline"), None)
    if question is None:
        return None
    if question.slug not in site.overviews:
        text = _text(site, question, _spoken(site, question))
        found = _drawing(question, answers.shown(site, site.store.answer(_query(text, JSON)))).get("picture")
        site.overviews[question.slug] = pictures.overview(found) if found and found.lanes else None
    return site.overviews[question.slug]


def _query(text: str, results: Format) -> Query:
    gone = {"gone": request.environ["tracktwo.gone"]} if "tracktwo.gone" in request.environ else {}
    return Query(text, results=results, graph=TURTLE, client=request.remote_addr or "", **gone)


def _text(site: Site, question: Question, given: Mapping[str, str]) -> str:
    """The query's text with some of its parameters put in."""
    known = question.parameters(site.publication.prefixes)
    languages = site.publication.languages
    if question.speaks(languages) and given.get(LANGUAGE, languages[0]) not in languages:
        raise BadRequest(f"The parameter “{LANGUAGE}” must be one of {', '.join(languages)}, not “{given[LANGUAGE]}”.")
    return question.bound({name: _term(name, value, known[name]) for name, value in given.items()})


def _term(name: str, value: str, default: NamedNode | Literal) -> NamedNode | Literal:
    """A parameter's value as a term of its default's kind."""
    if isinstance(default, Literal):
        pattern, what = _FORMS.get(default.datatype.value, ("(?s:.*)", ""))
        if not re.fullmatch(pattern, value):
            raise BadRequest(f"The parameter “{name}” must be {what}, not “{value}”.")
        if default.language:
            return Literal(value, language=default.language)
        return Literal(value, datatype=default.datatype)
    if not is_valid_iri(value):
        raise BadRequest(
            Sentence("The parameter “%(name)s” must be an absolute IRI, not “%(value)s”.", name=name, value=value)
        )
    return NamedNode(value)


def _asked_with(site: Site, question: Question) -> dict[str, str]:
    """The question's parameters that the request names."""
    known = question.parameters(site.publication.prefixes)
    return {name: request.args[name] for name in known if request.args.get(name)}


def _spoken(site: Site, question: Question) -> dict[str, str]:
    """The language that a page fills in, where it is not what the question has already."""
    filled = question.spoken(site.language, site.publication.languages)
    return {} if filled == question.text else {LANGUAGE: site.language}


def _url(site: Site, name: str, given: Mapping[str, str]) -> str:
    """The absolute URL of a question's page or of one of its formats, with parameters."""
    return site.links.full(site.links.neutral.site(f"query/{name}", **given))


def _described(site: Site, asked: list[Question], format_: Format) -> bytes:
    base, endpoint = site.publication.named("query/"), site.links.absolute("sparql")
    triples = questions.described(asked, base, endpoint, site.publication.prefixes)
    return serialise.triples(format_, triples, site.publication.prefixes)


def _page(site: Site, question: Question, text: str, given: Mapping[str, str], links: Sequence[Link]) -> Body:
    result = answers.shown(site, site.store.answer(_query(text, JSON)))
    pickers = _pickers(site, question)
    headed = dict.fromkeys([*(picker["name"] for picker in pickers), *result.get("names", ())])
    path = f"query/{question.slug}"
    return answers.page(
        result,
        lambda shown: render_template(
            "question.html",
            head=links,
            question=question,
            text=text,
            pickers=pickers,
            headings={name: _heading(site, question, name) for name in headed},
            here=site.links.site(path, **given),
            iri=site.publication.named(path) + ("?" + urlencode(given) if given else ""),
            **_drawing(question, shown),
            **shown,
        ),
    )


def _drawing(question: Question, result: Mapping[str, Any]) -> dict[str, Any]:
    """The `picture` of an answer, where the question has one; the columns that it lacks for that are `undrawn`."""
    if not question.picture:
        return {}
    names, rows = result.get("names", ()), result.get("rows", ())
    if undrawn := pictures.missing(question.picture, names):
        return {"undrawn": undrawn}
    return {"picture": pictures.drawn(question.picture, names, rows)} if rows else {}


def _pickers(site: Site, question: Question) -> list[dict[str, Any]]:
    """For each parameter its value, what to choose from as (value, text), and else the kind of field to type it into.

    The shapes of the properties that it is a value of say which: `sh:in`, `sh:class`, `sh:datatype`. Without any, the
    default's own class or datatype does.
    """
    pickers = []
    prefixes = site.publication.prefixes
    languages = site.publication.languages
    for name, default in question.parameters(prefixes).items():
        if name == LANGUAGE and question.speaks(languages):
            pickers.append(_languages(site))
            continue
        said = [
            site.ranges[property_] for property_ in question.properties_of(name, prefixes) if property_ in site.ranges
        ]
        listed = _choices(site, default, *(_said(said, kind) for kind in ("choices", "classes")))
        choices = [(choice.iri or choice.text, choice.text) for choice in listed]
        kind = "url"
        if isinstance(default, Literal):
            kinds = {_FIELDS.get(iri, "text") for iri in _said(said, "datatypes") or [default.datatype.value]}
            kind = kinds.pop() if len(kinds) == 1 else "text"
        value = request.args.get(name) or default.value
        if choices and value not in dict(choices):
            choices = [(value, _choice(site, default, value).text), *choices]
        pickers.append({"name": name, "value": value, "choices": choices, "kind": kind})
    return pickers


def _languages(site: Site) -> dict[str, Any]:
    """The picker of the language of texts: those of the publication, the page's own as no choice at all."""
    asked = request.args.get(LANGUAGE, "")
    choices = [("" if tag == site.language else tag, own_name(tag)) for tag in site.publication.languages]
    return {"name": LANGUAGE, "value": "" if asked == site.language else asked, "choices": choices, "kind": ""}


def _heading(site: Site, question: Question, name: str) -> tuple[str, str]:
    """What heads a column or a field, with its language."""
    if name == LANGUAGE and question.speaks(site.publication.languages):
        return site.describer.say("language of the texts"), site.language
    return site.describer.pick(question.heading(name)) or (name, "")


def _said(ranges: Sequence[Mapping[str, list[str]]], kind: str) -> list[str]:
    return list(dict.fromkeys(value for range_ in ranges for value in range_.get(kind, ())))


def _choices(site: Site, default: NamedNode | Literal, listed: list[str], classes: list[str]) -> list[Value]:
    """What a picker lists: the values that the shapes list, else the members of a class; none where they are many."""
    if listed or isinstance(default, Literal):
        return [_choice(site, default, value) for value in listed]
    own = [class_ for class_ in site.catalog.classes_of(default.value) if class_.stated]
    chosen = [class_ for class_ in own if class_.iri in classes] or own
    if not chosen or chosen[0].members > _CHOICES:
        return []
    return site.describer.listing(site.catalog.members(chosen[0].slug, "", _CHOICES))


def _choice(site: Site, default: NamedNode | Literal, value: str) -> Value:
    if isinstance(default, Literal):
        return Value("literal", value)
    return Value("iri", site.describer.label(value, site.catalog.labels([value]))[0], iri=value)

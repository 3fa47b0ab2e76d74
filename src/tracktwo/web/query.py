"""The SPARQL endpoint: one URL for clients by the protocol, for people a form and a table."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request

from tracktwo import description, formats, hints, serialise, sparql
from tracktwo.errors import (
    BadRequest,
    QueryError,
    TooLarge,
    TracktwoError,
)
from tracktwo.formats import (
    DOCUMENT_FORMATS,
    HTML,
    JSON,
    JSON_OBJECT,
    RDF_FORMATS,
    RESULT_FORMATS,
    TURTLE,
    Format,
    negotiate,
)
from tracktwo.namespaces import OWL, RDF, RDFS
from tracktwo.publication import SETTINGS
from tracktwo.store import Answer, Query
from tracktwo.web import answers, editor
from tracktwo.web.headers import NO_STORE, Link
from tracktwo.web.language import Interface
from tracktwo.web.problems import EXPLAINED, problem
from tracktwo.web.respond import Body, Representation, Resource, fixed, represent, represent_page, respond
from tracktwo.web.site import Site

routes = Blueprint("query", __name__)

_LABELS_AT_ONCE = 1000
_TERMS_COMPLETED = 5000

#: What makes a term a class, or a property, that an editor completes.
_CLASSES = (OWL.Class.value, RDFS.Class.value)
_PROPERTIES = tuple(
    kind.value for kind in (OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty, RDF.Property)
)

#: What the server knows of a request beside what was sent, by its names there.
_OF_THE_SERVER = {"gone": "tracktwo.gone", "arrived": "tracktwo.arrived"}

#: How the settings begin that `/limits` shows.
_BOUNDING = ("limits.query_", "limits.result_", "limits.page_rows")

#: The `Cache-Control` of an answer that is the same each time.
_KEPT_SHORTLY = "public, max-age=60"

#: Units that end a setting's name: CLDR's unit to say it in, and how many of the setting's make one.
_UNITS = {"seconds": ("duration-second", 1), "mb": ("digital-megabyte", 1), "bytes": ("digital-megabyte", 1 << 20)}

#: What the form holds before anything is asked.
_SAMPLE = "SELECT ?thing ?label\nWHERE {\n  ?thing a ?class ;\n    rdfs:label ?label .\n}\nLIMIT 50\n"


@routes.context_processor
def _for_the_editor() -> dict[str, Any]:
    """What the page of the editor tells its script beside URLs."""
    return {"editor_words": editor.words}


@routes.route("/sparql", methods=["GET", "POST", "QUERY"])
def endpoint() -> Response:
    """A query's answer; without a query, the form for browsers and the service description for machines."""
    site: Site = g.site
    asked = _request()
    named = request.args.get("format", "")
    best = negotiate(asked.accept, (*RESULT_FORMATS, *DOCUMENT_FORMATS))
    page = (formats.named(named, (HTML,)) if named else best) is HTML
    if not sparql.has_query(asked):
        return _introduction(site)
    if request.environ.get("tracktwo.body_over"):
        raise TooLarge(f"The query is over {site.publication.limits.query_bytes} bytes.")
    if page:
        return _page(site, asked)
    query = sparql.read(asked, site.rules)
    if request.method in ("GET", "HEAD"):
        g.variants = _variants(site)
    return respond(
        site,
        Representation(
            None,
            lambda: _answer(site, query),
            negotiated=True,
            variant=repr([row and row.name for row in (query.results, query.graph)]),
            cache=_cache(query),
            extra=_hinted(site, query),
        ),
    )


def _variants(site: Site) -> list[Link]:
    """The answer in each format that it may have, for whom none of them fits."""
    asked = [pair for pair in request.args.items(multi=True) if pair[0] not in ("format", "lang")]
    url = site.links.absolute("sparql")
    return [
        Link(f"{url}?{urlencode([*asked, ('format', row.name)])}", "alternate", row.media_type)
        for row in (*RESULT_FORMATS, *RDF_FORMATS)
    ]


def _answer(site: Site, query: Query) -> Answer:
    """The store's answer; a mistake in the query gets the hint that we can give."""
    try:
        return site.store.answer(query)
    except QueryError as error:
        error.hint = error.hint or hints.unknown_prefix(error.prefix, site.publication.prefixes)
        raise


def _cache(query: Query) -> str:
    """How long an answer may be kept: not at all where it differs each time, or was not asked for by its URL."""
    return _KEPT_SHORTLY if request.method in ("GET", "HEAD") and answers.is_lasting(query) else NO_STORE


def _hinted(site: Site, query: Query) -> dict[str, str]:
    """The header with the hint that a query deserves."""
    hint = hints.unknown_term(query.text, site.catalog, site.links, site.publication.prefixes)
    return {"Tracktwo-Hint": hint.encode("ascii", "backslashreplace").decode()} if hint else {}


def _request() -> sparql.Request:
    """The request as the protocol sees it."""
    return sparql.Request(
        method="POST" if request.method == "QUERY" else request.method,
        query_string=request.query_string.decode("latin-1"),
        content_type=request.headers.get("Content-Type", ""),
        body=request.get_data(cache=True, parse_form_data=False),
        accept=request.headers.get("Accept"),
        client=request.remote_addr or "",
        coding=request.headers.get("Content-Encoding", ""),
        **{name: request.environ[key] for name, key in _OF_THE_SERVER.items() if key in request.environ},
    )


def _introduction(site: Site, format_: Format | None = None) -> Response:
    """What the endpoint is, for a request without a query."""

    def body(chosen: Format, head: Sequence[Link]) -> bytes | str:
        if chosen is HTML:
            return render_template("sparql.html", head=head, text="", sample=_SAMPLE, examples=site.questions)
        triples = description.service(site.publication, site.links, site.release.manifest, site.store.functions)
        return serialise.triples(chosen, triples, site.publication.prefixes)

    resource = Resource(DOCUMENT_FORMATS, lambda row: site.links.absolute(f"sparql.{row.suffix}"), body)
    return represent(site, resource, format_)


@routes.get("/sparql.<suffix>")
def endpoint_described(suffix: str) -> Response:
    """The service description in one format."""
    return _introduction(g.site, fixed(suffix, DOCUMENT_FORMATS))


@routes.get("/prefixes")
@routes.get("/prefixes.<suffix>")
def prefixes(suffix: str = "") -> Response:
    """The prefixes that a query need not declare, as JSON or Turtle."""
    site: Site = g.site
    known = dict(sorted(site.publication.prefixes.items()))

    def body(format_: Format, _: Sequence[Link]) -> str:
        if format_ is TURTLE:
            return "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in known.items())
        return json.dumps(known, ensure_ascii=False, indent=1) + "\n"

    offered = (JSON_OBJECT, TURTLE)
    resource = Resource(offered, lambda format_: site.links.absolute(f"prefixes.{format_.suffix}"), body)
    return represent(site, resource, fixed(suffix, offered) if suffix else None)


@routes.get("/limits")
def limits() -> Response:
    """What a query may cost, and what each refusal means."""
    site: Site = g.site
    limits = site.publication.limits
    rows = [row.name.removeprefix("limits.") for row in SETTINGS if row.name.startswith(_BOUNDING)]
    meanings = {row.name.removeprefix("limits."): row.meaning for row in SETTINGS}
    bounds = [(meanings[name], _amount(name, getattr(limits, name))) for name in rows]
    explained = sorted(EXPLAINED.items())
    return represent_page(site, lambda: render_template("limits.html", head=[], bounds=bounds, explained=explained))


def _amount(setting: str, value: float) -> str:
    """A setting's value in the page's language, in the unit that its name ends with; what is counted has none."""
    spoken_in: Interface = g.interface
    unit, one = _UNITS.get(setting.rpartition("_")[2], ("", 1))
    return spoken_in.amount(value / one, unit) if unit else spoken_in.number(value)


@routes.get("/vocabulary")
def vocabulary() -> Response:
    """Prefixes, classes and properties with labels and counts: what an editor completes."""
    site: Site = g.site
    return respond(site, Representation(JSON_OBJECT, lambda: json.dumps(_vocabulary(site), ensure_ascii=False)))


def _vocabulary(site: Site) -> dict[str, Any]:
    statistics = site.release.manifest["statistics"]
    classes = {**dict.fromkeys(_declared(site, _CLASSES), 0), **statistics["classes"]}
    properties = {**dict.fromkeys(_declared(site, _PROPERTIES), 0), **statistics["properties"]}
    named = site.catalog.labels([*classes, *properties])

    def terms(counts: dict[str, int]) -> list[dict[str, Any]]:
        return [
            {
                "iri": iri,
                "curie": site.describer.curie(iri),
                "label": (label := site.describer.label(iri, named)[0]),
                "also": sorted({*named.get(iri, {}).values()} - {label}),
                "count": count,
            }
            for iri, count in counts.items()
            if not iri.startswith("_:")
        ]

    return {
        "title": (site.describer.pick(site.publication.title) or ("", ""))[0],
        "release": site.release.id,
        "prefixes": site.publication.prefixes,
        "classes": terms(classes),
        "properties": terms(properties),
    }


def _declared(site: Site, kinds: Collection[str]) -> list[str]:
    """The terms that the vocabulary declares as one of the kinds, used or not."""
    slugs = [class_.slug for class_ in site.catalog.classes() if class_.iri in kinds]
    return [entry.iri for slug in slugs for entry in site.catalog.members(slug, "", _TERMS_COMPLETED)]


@routes.post("/labels")
def labels() -> Response:
    """Labels and pages of some IRIs, for a table of results."""
    site: Site = g.site
    asked = request.get_json(silent=True)
    iris = asked.get("iris") if isinstance(asked, dict) else None
    if not isinstance(iris, list) or not all(isinstance(iri, str) for iri in iris):
        raise BadRequest(f'Send {{"iris": […]}} with at most {_LABELS_AT_ONCE} IRIs.')
    if len(iris) > _LABELS_AT_ONCE:
        raise TooLarge(f"At most {_LABELS_AT_ONCE} IRIs are labelled at once.")
    known = site.catalog.mentioned(iris)
    texts = site.catalog.labels(known)
    found = {}
    for iri in iris:
        if iri in known or site.links.is_ours(iri):
            label, language = site.describer.label(iri, texts)
            found[iri] = {"label": label, "lang": language, "url": site.describer.url(iri)}
    return respond(site, Representation(JSON_OBJECT, lambda: json.dumps(found, ensure_ascii=False), cache=NO_STORE))


def _page(site: Site, asked: sparql.Request) -> Response:
    """The form with the answer, or the error, below it."""
    text = request.values.get("query", "")

    def form(**values: Any) -> str:
        return render_template("sparql.html", head=[], text=text, examples=site.questions, **values)

    def body() -> Body:
        hint = hints.unknown_term(query.text, site.catalog, site.links, site.publication.prefixes)
        return answers.page(answers.shown(site, _answer(site, query)), lambda shown: form(hint=hint, **shown))

    try:
        query = replace(sparql.read(asked, site.rules), results=JSON, graph=TURTLE)
        return respond(site, Representation(HTML, body, negotiated=True, cache=_cache(query)))
    except TracktwoError as error:
        return problem(error, form)

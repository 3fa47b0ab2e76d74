"""The SPARQL endpoint: one URL for clients by the protocol, for people a form and a table."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, render_template, request
from werkzeug.exceptions import MethodNotAllowed

from tracktwo import description, hints, querytext, sparql
from tracktwo.errors import (
    BadRequest,
    Busy,
    Forbidden,
    QueryError,
    QueryTimeout,
    QueryTooBig,
    StoreUnavailable,
    TooLarge,
    TracktwoError,
    UnsupportedMedia,
)
from tracktwo.formats import DOCUMENT_FORMATS, HTML, JSON, JSON_OBJECT, RESULT_FORMATS, TURTLE, Format, negotiate
from tracktwo.namespaces import OWL, RDF, RDFS
from tracktwo.publication import SETTINGS
from tracktwo.release import dump
from tracktwo.store import Answer, Query
from tracktwo.web import answers, editor
from tracktwo.web.language import Interface
from tracktwo.web.respond import STATUS, Link, Representation, Resource, fixed, represent, respond, spoken
from tracktwo.web.site import Site

routes = Blueprint("query", __name__)

_LABELS_AT_ONCE = 1000
_TERMS_COMPLETED = 5000

#: What makes a term a class, or a property, that an editor completes.
_CLASSES = (OWL.Class.value, RDFS.Class.value)
_PROPERTIES = tuple(
    kind.value for kind in (OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty, RDF.Property)
)

#: The refusals that `/limits` explains.
_EXPLAINED = (BadRequest, Forbidden, TooLarge, UnsupportedMedia, StoreUnavailable, Busy, QueryTimeout, QueryTooBig)

#: How the settings begin that `/limits` shows.
_BOUNDING = ("limits.query_", "limits.result_", "limits.page_rows")

#: Units that end a setting's name: CLDR's unit to say it in, and how many of the setting's make one.
_UNITS = {"seconds": ("duration-second", 1), "mb": ("digital-megabyte", 1), "bytes": ("digital-megabyte", 1 << 20)}
_METHODS = ["GET", "POST", "QUERY"]

#: What the form holds before anything is asked.
_SAMPLE = "SELECT ?thing ?label\nWHERE {\n  ?thing a ?class ;\n    rdfs:label ?label .\n}\nLIMIT 50\n"


@routes.context_processor
def _for_the_editor() -> dict[str, Any]:
    """What the page of the editor tells its script beside URLs."""
    return {"editor_words": editor.words}


@routes.route("/sparql", methods=[*_METHODS, "PUT", "DELETE", "PATCH"])
def endpoint() -> Response:
    """A query's answer; without a query, the form for browsers and the service description for machines."""
    if request.method not in (*_METHODS, "HEAD"):
        raise MethodNotAllowed(valid_methods=["GET", "HEAD", "POST", "QUERY", "OPTIONS"])
    site: Site = g.site
    asked = _request()
    page = negotiate(asked.accept, (*RESULT_FORMATS, *DOCUMENT_FORMATS)) is HTML and not request.args.get("format")
    if not sparql.has_query(asked):
        return _introduction(site)
    if request.environ.get("tracktwo.body_over"):
        raise TooLarge(f"The request is over {site.publication.limits.query_bytes} bytes.")
    if page:
        return _page(site, asked)
    query = sparql.read(asked, site.rules)
    etag = _etag(site, query)
    if etag and etag in {tag.removesuffix("-gzip") for tag in request.if_none_match.as_set(include_weak=True)}:
        return _headed(site, query, etag, Response(status=HTTPStatus.NOT_MODIFIED))
    return _headed(site, query, etag, _stream(_answer(site, query)))


def _answer(site: Site, query: Query) -> Answer:
    """The store's answer; a mistake in the query gets the hint that we can give."""
    try:
        return site.store.answer(query)
    except QueryError as error:
        error.hint = error.hint or hints.unknown_prefix(query.text, site.publication.prefixes)
        raise


def _etag(site: Site, query: Query) -> str:
    """A strong tag from release, query, dataset and formats, known before the query runs; none where answers differ."""
    if request.method not in ("GET", "HEAD") or query.federated or querytext.is_volatile(query.text):
        return ""
    formats = tuple(format_.name if format_ else "" for format_ in (query.results, query.graph))
    key = repr((site.release.folder.name, query.text, query.default_graphs, query.named_graphs, formats))
    return hashlib.sha256(key.encode()).hexdigest()[:20]


def _headed(site: Site, query: Query, etag: str, response: Response) -> Response:
    """The response with what lets caches keep it, and with the hint that its query deserves."""
    response.vary.add("Accept")
    response.headers["Cache-Control"] = "public, max-age=60" if etag else "no-store"
    if etag:
        response.set_etag(etag)
        response.last_modified = site.release.created
    if hint := hints.unknown_term(query.text, site.catalog, site.links, site.publication.prefixes):
        response.headers["Tracktwo-Hint"] = hint.encode("ascii", "backslashreplace").decode()
    return response


def _request() -> sparql.Request:
    """The request as the protocol sees it."""
    return sparql.Request(
        method="POST" if request.method == "QUERY" else request.method,
        query_string=request.query_string.decode("latin-1"),
        content_type=request.headers.get("Content-Type", ""),
        body=request.get_data(cache=True, parse_form_data=False),
        accept=request.headers.get("Accept"),
        client=request.remote_addr or "",
        **({"gone": request.environ["tracktwo.gone"]} if "tracktwo.gone" in request.environ else {}),
    )


def _introduction(site: Site, format_: Format | None = None) -> Response:
    """What the endpoint is, for a request without a query."""

    def body(chosen: Format, head: Sequence[Link]) -> bytes | str:
        if chosen is HTML:
            return render_template("sparql.html", head=head, text="", sample=_SAMPLE, examples=site.questions)
        triples = description.service(site.publication, site.links, site.release.manifest, site.store.functions)
        return dump.triples(chosen, triples, site.publication.prefixes)

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
    explained = [(STATUS[kind], kind.__doc__ or "") for kind in _EXPLAINED]
    return respond(
        site, Representation(HTML, lambda: render_template("limits.html", head=[], bounds=bounds, explained=explained))
    )


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
                "label": site.describer.label(iri, named)[0],
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
    if not isinstance(iris, list) or len(iris) > _LABELS_AT_ONCE or not all(isinstance(iri, str) for iri in iris):
        raise BadRequest(f'Send {{"iris": […]}} with at most {_LABELS_AT_ONCE} IRIs.')
    known = site.catalog.mentioned(iris)
    texts = site.catalog.labels(known)
    found = {}
    for iri in iris:
        if iri in known or site.links.is_ours(iri):
            label, language = site.describer.label(iri, texts)
            found[iri] = {"label": label, "lang": language, "url": site.describer.url(iri)}
    body = json.dumps(found, ensure_ascii=False)
    return Response(body, content_type=JSON_OBJECT.content_type, headers={"Cache-Control": "no-store"})


def _stream(answer: Answer) -> Response:
    """The answer as it comes; a failure on the way breaks the transfer, so that it can't be taken for whole."""
    if answer.whole is not None:
        return Response(answer.whole, content_type=answer.format.content_type)
    response = Response(answer.chunks, content_type=answer.format.content_type)
    response.call_on_close(answer.close)
    return response


def _page(site: Site, asked: sparql.Request) -> Response:
    """The form with the answer, or the error, below it."""
    text = request.values.get("query", "")
    try:
        query = sparql.read(asked, site.rules)
        answer = _answer(site, replace(query, results=JSON, graph=TURTLE))
        shown = answers.shown(site, answer)
    except TracktwoError as error:
        status = STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
        body = render_template("sparql.html", head=[], text=text, error=error, status=status, examples=site.questions)
        response = Response(body, status=status, content_type=HTML.content_type, headers={"Cache-Control": "no-store"})
        response.vary.add("Accept")
        spoken(response, HTML.media_type)
        return response
    hint = hints.unknown_term(query.text, site.catalog, site.links, site.publication.prefixes)
    response = Response(
        render_template("sparql.html", head=[], text=text, examples=site.questions, hint=hint, **shown),
        content_type=HTML.content_type,
    )
    response.vary.add("Accept")
    spoken(response, HTML.media_type)
    response.headers["Cache-Control"] = "no-store" if shown.get("cut") else "public, max-age=60"
    if shown.get("cut"):
        response.headers["Tracktwo-Truncated"] = f"rows={site.publication.limits.page_rows}"
    return response

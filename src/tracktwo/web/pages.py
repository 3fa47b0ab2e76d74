"""Pages to find one's way: home, where the data is from, the network around an entity."""

import json
import math
from importlib.resources import files

from flask import Blueprint, Response, g, render_template, request
from pyoxigraph import NamedNode

from tracktwo.errors import NotFound, Sentence, TracktwoError
from tracktwo.formats import JSON_OBJECT, STATIC_FORMATS, TEXT
from tracktwo.links import is_valid_iri
from tracktwo.provenance import provenance
from tracktwo.web import structured
from tracktwo.web.headers import NO_STORE, Link
from tracktwo.web.questions import overview
from tracktwo.web.respond import Body, Cut, Representation, represent_page, respond
from tracktwo.web.site import Site

routes = Blueprint("pages", __name__)

_UNCRAWLED = ("sparql", "links", "describe", "search", "suggest", "card", "why", "around")  # made to measure
_FIRST = 10  # classes in sight, where the shapes have no order
_CARD_TEXT = 240  # characters of a card's line
_FOR_EVER = "public, max-age=31536000, immutable"


@routes.get("/")
@routes.get("/browse")
def home() -> Response:
    """What is published here, and the ways in."""
    site: Site = g.site
    classes = sorted(site.catalog.classes(), key=lambda class_: site.order.get(class_.iri, math.inf))
    labels = site.catalog.labels([class_.iri for class_ in classes])
    rows = [(*site.describer.label(class_.iri, labels), class_) for class_ in classes]
    stated = [row for row in rows if row[2].stated]
    ordered = sum(row[2].iri in site.order for row in stated)
    head = [Link(site.links.absolute("dataset"), "describedby"), Link(site.links.absolute("sparql"), "service")]

    def body() -> Body:
        drawn, failed = None, False
        try:
            drawn = overview(site)
        except TracktwoError:
            failed = True  # the ways in are there without it, and the next reader may see it
        page = render_template(
            "home.html",
            head=head,
            first=stated[: ordered or _FIRST],
            others=stated[ordered or _FIRST :],
            unstated=[row for row in rows if not row[2].stated],
            statistics=site.release.manifest["statistics"],
            structured=structured.dataset(site),
            overview=drawn,
        )
        return Cut(page, "overview=0") if failed else page

    return represent_page(site, body, head)


@routes.get("/about")
def about() -> Response:
    """How the data was made, from which sources, how far it is held to its shapes, and what is missing."""
    site: Site = g.site
    manifest = site.release.manifest
    rules = manifest["validation"]["rules"]
    nodes = [node for rule in rules for node in rule["nodes"]]
    labels = site.catalog.labels(nodes)
    pick, label = site.describer.pick, site.describer.label
    return _html(
        site,
        "about.html",
        [],
        sections=provenance(site.describer),
        sources=sorted(site.describer.sources.values(), key=lambda source: source.label.casefold()),
        statistics=manifest["statistics"],
        summary=manifest["validation"]["summary"],
        rules=[
            {
                **rule,
                "message": pick(rule["messages"]) or ("", ""),
                "links": [(site.describer.url(node), *label(node, labels)) for node in rule["nodes"]],
            }
            for rule in rules
        ],
        classes=sum(class_.stated for class_ in site.catalog.classes()),
    )


@routes.get("/around")
def around() -> Response:
    """The network of what an entity is linked with, to walk from one to the next."""
    site: Site = g.site
    iri = request.args.get("iri", "")
    if not is_valid_iri(iri) or not site.catalog.mentioned([iri]):
        raise NotFound(Sentence("Nothing is said here about that IRI."))

    def body() -> str:
        view, picture = site.describer.around(NamedNode(iri))
        return render_template("around.html", head=[], view=view, picture=picture)

    return represent_page(site, body)


@routes.get("/card")
def card() -> Response:
    """What a card beside a link says of an entity: its label, what it is, a line about it."""
    site: Site = g.site
    iri = request.args.get("iri", "")
    if not is_valid_iri(iri) or not site.catalog.described([iri]):
        raise NotFound(Sentence("Nothing is said here about that IRI."))

    def body() -> str:
        view = site.describer.views([NamedNode(iri)], incoming=())[0]
        types = [type_.text for type_ in view.types if not type_.inferred] or [type_.text for type_ in view.types[:1]]
        facts = " · ".join(f"{row.label} {value.text}" for row, value in view.facts)
        text, language = view.summary if view.summary[0] else (facts, "")
        content = {
            "label": view.label,
            "language": view.language,
            "types": types,
            "summary": text[:_CARD_TEXT] + ("…" if len(text) > _CARD_TEXT else ""),
            "summaryLanguage": language,
        }
        return json.dumps(content, ensure_ascii=False) + "\n"

    return respond(site, Representation(JSON_OBJECT, body))


@routes.get("/static/<name>")
def static(name: str) -> Response:
    """Style sheets, scripts, pictures; the page's links carry a version, so they may be kept for ever."""
    site: Site = g.site
    path = files("tracktwo.web") / "static" / name
    format_ = next((row for row in STATIC_FORMATS if name.endswith("." + row.suffix)), None)
    if "/" in name or format_ is None or not path.is_file():
        raise NotFound(Sentence("There is no static file “%(name)s”.", name=name))
    return respond(site, Representation(format_, path.read_bytes, cache=_FOR_EVER))


@routes.get("/robots.txt")
def robots() -> Response:
    """Keeps crawlers off what is made to measure."""
    site: Site = g.site
    root = site.links.root
    lines = [
        "User-agent: *",
        *(f"Disallow: {root}{path}" for path in _UNCRAWLED),
        f"Sitemap: {site.links.absolute('sitemap.xml')}",
    ]
    return respond(site, Representation(TEXT, lambda: "\n".join(lines) + "\n"))


@routes.get("/health")
def health() -> Response:
    """The release that is served, for whoever runs the site."""
    site: Site = g.site
    return respond(site, Representation(TEXT, lambda: site.release.id + "\n", cache=NO_STORE))


def _html(site: Site, template: str, head: list[Link], **values: object) -> Response:
    return represent_page(site, lambda: render_template(template, head=head, **values), head)

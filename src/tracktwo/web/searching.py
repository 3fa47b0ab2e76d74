"""Entities found by words: a page of hits, the same as JSON and RDF, suggestions while typing, and OpenSearch."""

import json
import re
from collections.abc import Sequence

from flask import Blueprint, Response, g, render_template, request
from markupsafe import escape

from tracktwo import serialise
from tracktwo.errors import BadRequest
from tracktwo.formats import HTML, JSON_OBJECT, OPENSEARCH, RDF_FORMATS, SUGGESTIONS, Format
from tracktwo.search import Found, Hit
from tracktwo.web.headers import Link
from tracktwo.web.lists import Item, item_list
from tracktwo.web.respond import Representation, Resource, fixed, represent, respond
from tracktwo.web.site import Site

routes = Blueprint("searching", __name__)

_SUGGESTED = 8
_LONGEST_TEXT = 500
_SHORT_NAME, _DESCRIPTION = 16, 1024  # characters that OpenSearch 1.1 allows
_FORMATS: tuple[Format, ...] = (JSON_OBJECT, *RDF_FORMATS, HTML)


@routes.get("/search")
@routes.get("/search.<suffix>")
def search(suffix: str = "") -> Response:
    """Entities that have the words `q`, those of one class only if `class` names it, a page at a time."""
    site: Site = g.site
    text, class_ = request.args.get("q", "")[:_LONGEST_TEXT], request.args.get("class", "")
    found = site.search.find(text, class_)
    size = site.publication.limits.page_size
    start = _start(request.args.get("start") or "0")
    hits = found.hits[start:][:size]

    def body(format_: Format, head: Sequence[Link]) -> bytes | str:
        if format_ is JSON_OBJECT:
            return json.dumps(_as_json(site, found, hits), ensure_ascii=False, indent=1) + "\n"
        if format_ is not HTML:
            page = site.links.absolute(_path("search", text, class_))
            items = (
                Item(place, hit.iri, [(hit.text, hit.language)], position=place)
                for place, hit in enumerate(hits, start + 1)
            )
            triples = item_list(page, len(found.hits), items, site.publication.skolem_prefix)
            return serialise.triples(format_, triples, site.publication.prefixes)
        end = start + size
        more = site.links.site("search", **_arguments(text, class_), start=str(end)) if end < len(found.hits) else ""
        return render_template(
            "search.html", head=head, text=text, class_=class_, found=found, more=more, **_shown(site, found, hits)
        )

    def variant(format_: Format) -> str:
        return site.links.absolute(_path(f"search.{format_.suffix}", text, class_, start))

    resource = Resource(_FORMATS, variant, body, page=site.links.absolute(_path("search", text, class_)))
    return represent(site, resource, fixed(suffix, _FORMATS) if suffix else None)


@routes.get("/suggest")
def suggest() -> Response:
    """Labels that begin so, as OpenSearch suggestions: the text, labels, what they are, and their pages."""
    site: Site = g.site
    text = request.args.get("q", "")[:_LONGEST_TEXT]
    hits = site.search.find(text, request.args.get("class", ""), unfinished=True).hits[:_SUGGESTED]
    kinds = site.catalog.kinds([hit.iri for hit in hits])
    names = site.catalog.labels([class_ for classes in kinds.values() for class_ in classes])

    def kind(hit: Hit) -> str:
        return ", ".join(site.describer.label(class_, names)[0] for class_ in kinds.get(hit.iri, ()))

    urls = [site.links.full(site.describer.url(hit.iri)) for hit in hits]
    content = [text, [hit.text for hit in hits], [kind(hit) for hit in hits], urls]
    return respond(site, Representation(SUGGESTIONS, lambda: json.dumps(content, ensure_ascii=False)))


@routes.get("/opensearch.xml")
def opensearch() -> Response:
    """How a browser searches here (OpenSearch 1.1)."""
    site: Site = g.site
    pick = site.describer.pick
    title, about = ((pick(words) or ("", ""))[0] for words in (site.publication.title, site.publication.description))

    def url(kind: str, path: str) -> str:
        template = escape(site.links.absolute(path) + "?q={searchTerms}")
        return f'<Url type="{kind}" template="{template}"/>'

    lines = (
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">',
        f"<ShortName>{escape(title[:_SHORT_NAME])}</ShortName>",
        f"<Description>{escape((about or title)[:_DESCRIPTION])}</Description>",
        f'<Image height="16" width="16" type="image/svg+xml">{escape(site.links.absolute("static/icon.svg"))}</Image>',
        *(f"<Language>{escape(language)}</Language>" for language in site.publication.languages),
        "<InputEncoding>UTF-8</InputEncoding>",
        *(url(row.media_type, "search" if row is HTML else f"search.{row.suffix}") for row in (HTML, *_FORMATS[:-1])),
        url(SUGGESTIONS.media_type, "suggest"),
        "</OpenSearchDescription>",
    )
    return respond(site, Representation(OPENSEARCH, lambda: "\n".join(lines) + "\n"))


def _arguments(text: str, class_: str) -> dict[str, str]:
    return {"q": text} | ({"class": class_} if class_ else {})


def _start(given: str) -> int:
    """How many hits stand before the page; raises `BadRequest` for what is no such number."""
    if not re.fullmatch("[0-9]{1,9}", given):
        raise BadRequest(f"“start” must be a whole number from 0, not “{given}”.")
    return int(given)


def _path(path: str, text: str, class_: str, start: int = 0) -> str:
    """A path below the public URL with the search's parameters."""
    site: Site = g.site
    begun = {"start": str(start)} if start else {}
    return site.links.neutral.site(path, **_arguments(text, class_), **begun).removeprefix(site.links.root)


def _shown(site: Site, found: Found, hits: Sequence[Hit]) -> dict[str, object]:
    """What the page shows of the hits on it, and of the classes of all of them."""
    iris = [hit.iri for hit in hits]
    labels, kinds = site.catalog.labels(iris), site.catalog.kinds(iris)
    classes = [row for row in site.catalog.classes() if found.classes[row.slug]]
    names = site.catalog.labels({*(row.iri for row in classes), *(iri for some in kinds.values() for iri in some)})
    rows = [
        {
            "url": site.describer.url(hit.iri),
            "hit": hit,
            "label": site.describer.label(hit.iri, labels),
            "kinds": [site.describer.label(class_, names)[0] for class_ in kinds.get(hit.iri, ())],
        }
        for hit in hits
    ]
    counted = sorted(classes, key=lambda row: (-found.classes[row.slug], row.slug))
    return {
        "rows": rows,
        "classes": [(row.slug, *site.describer.label(row.iri, names), found.classes[row.slug]) for row in counted],
    }


def _as_json(site: Site, found: Found, hits: Sequence[Hit]) -> dict[str, object]:
    labels = site.catalog.labels([hit.iri for hit in hits])
    return {
        "found": len(found.hits),
        "more": found.more,
        "forgiven": found.forgiven,
        "classes": dict(found.classes.most_common()),
        "hits": [
            {
                "iri": hit.iri,
                "labels": labels.get(hit.iri, {}),
                "matched": hit.text,
                "language": hit.language,
                "links": hit.links,
            }
            for hit in hits
        ],
    }

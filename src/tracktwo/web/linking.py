"""All that links to an entity with one property: a page at a time, and the same list as CSV, JSON and RDF."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, g, render_template, request
from pyoxigraph import Literal, NamedNode, Triple

from tracktwo import serialise
from tracktwo.catalog import Listed
from tracktwo.errors import NotFound, Sentence
from tracktwo.formats import CSV, HTML, JSON_OBJECT, RDF_FORMATS, Format
from tracktwo.namespaces import RDFS
from tracktwo.terms import node_of
from tracktwo.web.headers import Link
from tracktwo.web.lists import as_csv
from tracktwo.web.respond import Resource, fixed, represent
from tracktwo.web.site import Site

routes = Blueprint("linking", __name__)

_FORMATS: tuple[Format, ...] = (HTML, JSON_OBJECT, CSV, *RDF_FORMATS)


@dataclass(frozen=True)
class Links:
    """Some of the links that lead to `iri` with `property`, how many there are, and where the next ones begin."""

    iri: str
    property: str
    total: int
    entries: Sequence[Listed]
    more: str
    labels: Mapping[str, Mapping[str, str]]


@routes.get("/links")
@routes.get("/links.<suffix>")
def links(suffix: str = "") -> Response:
    """Those that link to the entity `iri` with `property`; `links.SUFFIX` has them in one format."""
    site: Site = g.site
    iri, property_ = request.args.get("iri", ""), request.args.get("property", "")
    after = request.args.get("after", "")
    count = dict(site.catalog.link_counts(iri)).get(property_)
    if count is None:
        raise NotFound(Sentence("Nothing here links to that entity with that property."))

    def body(format_: Format, head: Sequence[Link]) -> bytes | str:
        limits = site.publication.limits
        size = limits.page_size if format_ is HTML else limits.list_entries
        found = _found(site, iri, property_, count, after, size)
        if format_ is HTML:
            return render_template("links.html", head=head, first=not after, **_shown(site, found))
        return _written(site, format_, found)

    def variant(format_: Format) -> str:
        return _url(site, f"links.{format_.suffix}", iri, property_, after)

    canonical = [Link(_url(site, "links", iri, property_), "canonical")]
    resource = Resource(_FORMATS, variant, body, canonical, page=_url(site, "links", iri, property_, after))
    return represent(site, resource, fixed(suffix, _FORMATS) if suffix else None)


def _found(site: Site, iri: str, property_: str, total: int, after: str, size: int) -> Links:
    entries = site.catalog.links(iri, property_, after, size + 1)
    more = entries[size - 1].key if len(entries) > size else ""
    labels = site.catalog.labels([iri, property_, *(entry.iri for entry in entries[:size])])
    return Links(iri, property_, total, entries[:size], more, labels)


def _url(site: Site, name: str, iri: str, property_: str, after: str = "") -> str:
    """The absolute URL of a list, without the language, which data has not."""
    neutral = site.links.neutral
    return neutral.full(neutral.site(name, iri=iri, property=property_, after=after))


def _shown(site: Site, found: Links) -> dict[str, object]:
    """What the page shows."""
    label = site.describer.label
    here = {"iri": found.iri, "property": found.property}
    return {
        "heading": f"{label(found.property, found.labels)[0]}: {label(found.iri, found.labels)[0]}",
        "total": found.total,
        "about": found.iri,
        "values": [site.describer.reference(entry.iri, found.labels) for entry in found.entries],
        "more": site.links.site("links", **here, after=found.more) if found.more else "",
        "start": site.links.site("links", **here),
        "formats": {
            row.title.rpartition(" in ")[2]: _url(site, f"links.{row.suffix}", found.iri, found.property)
            for row in _FORMATS
            if row is not HTML
        },
    }


def _written(site: Site, format_: Format, found: Links) -> bytes | str:
    """The list in a format for programs."""
    if format_ is CSV:
        return as_csv(found.entries, found.labels, site.publication.languages)
    if format_ is JSON_OBJECT:
        return json.dumps(_as_json(site, found), ensure_ascii=False, indent=1) + "\n"
    return serialise.triples(format_, _as_triples(found), site.publication.prefixes)


def _as_json(site: Site, found: Links) -> dict[str, object]:
    return {
        "iri": found.iri,
        "property": found.property,
        "found": found.total,
        "entries": [{"iri": entry.iri, "labels": found.labels.get(entry.iri, {})} for entry in found.entries],
        "next": _url(site, "links.json", found.iri, found.property, found.more) if found.more else None,
    }


def _as_triples(found: Links) -> Iterable[Triple]:
    """The statements themselves, and of each subject its labels."""
    for entry in found.entries:
        subject = node_of(entry.iri)
        yield Triple(subject, NamedNode(found.property), node_of(found.iri))
        for language, text in found.labels.get(entry.iri, {}).items():
            yield Triple(subject, RDFS.label, Literal(text, language=language) if language else Literal(text))

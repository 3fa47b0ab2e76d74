"""The entities of a class: a page with facets to choose by, and the same list as CSV, JSON and RDF."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from flask import Blueprint, Response, g, render_template, request

from tracktwo import serialise
from tracktwo.catalog import Class
from tracktwo.errors import BadRequest, NotFound, Sentence, nearest
from tracktwo.facets import ORDERS, Choice, Entry, Facet, Numbers, Tally, Value
from tracktwo.formats import CSV, HTML, JSON_OBJECT, RDF_FORMATS, Format
from tracktwo.release.facets import RESERVED
from tracktwo.terms import node_of
from tracktwo.web.headers import NO_STORE, Link
from tracktwo.web.lists import Item, as_csv, item_list
from tracktwo.web.respond import Resource, fixed, represent
from tracktwo.web.site import Site

routes = Blueprint("browsing", __name__)

_FORMATS: tuple[Format, ...] = (HTML, JSON_OBJECT, CSV, *RDF_FORMATS)
_SHOWN = 8  # values of a facet before somebody asks for all
_OPEN = 5  # facets whose values are in sight at first
_LABEL = "label"


@dataclass(frozen=True)
class Asked:
    """What a request asks of a list, checked: its class and facets, what is chosen, the order, and where it begins."""

    class_: Class
    facets: Sequence[Facet]
    choice: Choice
    order: str
    after: int
    all: str

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The URL's parameters that tell which list it is, in their one order."""
        chosen = {
            facet.name: [value.name for value in self.choice.values[facet.name]]
            for facet in self.facets
            if facet.name in self.choice.values
        }
        return chosen | ({"sort": [self.order]} if self.order != _LABEL else {})

    def toggled(self, facet: Facet, value: Value) -> dict[str, list[str]]:
        """The parameters with one value more, or without it where it is chosen."""
        chosen = self.parameters.get(facet.name, [])
        others = [name for name in chosen if name != value.name]
        values = others if len(others) < len(chosen) else [*chosen, value.name]
        every = {name: self.parameters.get(name, []) for name in (*(row.name for row in self.facets), "sort")}
        return {name: found for name, found in (every | {facet.name: values}).items() if found}

    @cached_property
    def orders(self) -> list[str]:
        """The orders that the list has."""
        dated = any(facet.dates for facet in self.facets)
        return [name for name in ORDERS if dated or name not in ("oldest", "newest")]


@dataclass(frozen=True)
class Listing:
    """One stretch of the list, the counts of the facets, and the labels of all that stands in them.

    `before` counts the entities in front of the stretch, None where that is not known: of some in an order by date.
    """

    entries: Sequence[Entry]
    before: int | None
    more: int | None
    total: int
    tallies: Sequence[Tally]
    labels: Mapping[str, Mapping[str, str]]


@routes.get("/browse/<slug>")
def browse(slug: str) -> Response:
    """The entities of a class that have the values chosen, a page at a time; `browse/SLUG.csv` and others alike."""
    site: Site = g.site
    name, dot, suffix = slug.partition(".")
    format_ = fixed(suffix, _FORMATS) if dot else None
    asked = _asked(site, name)
    pages, data = site.publication.limits.page_size, site.publication.limits.list_entries
    found = _listing(site, asked, pages)

    def body(chosen: Format, head: Sequence[Link]) -> bytes | str:
        if chosen is HTML:
            return render_template("browse.html", head=head, **_shown(site, asked, found))
        return _written(site, asked, chosen, _listing(site, asked, data, found.tallies))

    parameters = asked.parameters | ({"after": [str(asked.after)]} if asked.after >= 0 else {})

    def variant(row: Format) -> str:
        all_ = {"all": [asked.all]} if asked.all and row is HTML else {}
        return _url(site, f"{name}.{row.suffix}", parameters | all_)

    partly = any(tally.gave_up for tally in found.tallies)
    links = [Link(_url(site, name, asked.parameters), "canonical")]
    left = found.total - max(asked.after + 1, 0) if not asked.choice.sets else found.total
    extra = {"Tracktwo-Truncated": f"entries={data}"} if left > data else {}
    resource = Resource(
        _FORMATS,
        variant,
        body,
        links,
        extra=extra,
        page=_url(site, name, parameters),
    )
    return represent(site, resource if not partly else _unkept(resource), format_)


def _unkept(resource: Resource) -> Resource:
    """The resource as it is just now: nobody keeps counts that a busier moment left out."""
    return replace(resource, cache=NO_STORE)


def _asked(site: Site, slug: str) -> Asked:
    """What the request asks; raises `NotFound` and `BadRequest` with the nearest of what there is."""
    classes = {row.slug: row for row in site.catalog.classes()}
    if slug not in classes:
        raise NotFound(Sentence("No class here is called “%(name)s”.", name=slug), hint=nearest(slug, classes))
    facets = site.facets.of(slug)
    wanted = {name: list(dict.fromkeys(values)) for name, values in request.args.lists() if name not in RESERVED}
    choice = site.facets.choose(facets, wanted)
    after = request.args.get("after", "")
    asked = Asked(
        classes[slug],
        facets,
        choice,
        request.args.get("sort") or _LABEL,
        _place(after),
        request.args.get("all", ""),
    )
    if asked.order not in asked.orders:
        hint = nearest(asked.order, asked.orders) or Sentence("There are: %(names)s.", names=", ".join(asked.orders))
        raise BadRequest(Sentence("This list has no order “%(name)s”.", name=asked.order), hint=hint)
    return asked


def _place(after: str) -> int:
    """The place after which the page begins; raises `BadRequest` where it is none."""
    if not after:
        return -1
    if not (after.isascii() and after.isdigit() and len(after) < 10):
        raise BadRequest(Sentence("“%(after)s” is no place in this list.", after=after))
    return int(after)


def _listing(site: Site, asked: Asked, limit: int, tallies: Sequence[Tally] | None = None) -> Listing:
    """A stretch of the list. Look-ups: the entries, the labels, and one to three for all counts."""
    chosen = asked.choice.all()
    entries = site.facets.entries(asked.class_.slug, chosen, asked.order, asked.after, limit + 1)
    if tallies is None:
        seconds = site.publication.limits.facet_ms / 1000
        tallies = site.facets.tallies(asked.facets, asked.choice, seconds)
    shown = entries[:limit]
    values = (value for some in (*asked.choice.values.values(), *(tally.values for tally in tallies)) for value in some)
    iris = {asked.class_.iri, *(entry.iri for entry in shown), *(value.iri for value in values if value.iri)}
    return Listing(
        shown,
        _before(asked, chosen),
        shown[-1].place if len(entries) > limit else None,
        asked.class_.members if chosen is None else len(chosen),
        tallies,
        site.catalog.labels(iris),
    )


def _before(asked: Asked, chosen: Numbers | None) -> int | None:
    if chosen is None or asked.after < 0:
        return asked.after + 1
    return chosen.up_to(asked.after) if asked.order == _LABEL else None


def _url(site: Site, name: str, parameters: Mapping[str, Sequence[str]]) -> str:
    """The absolute URL of a list, without the language, which data has not."""
    plain = site.in_language(site.language, pinned=False).links
    return plain.full(plain.site(f"browse/{name}", **parameters))


# The page


def _shown(site: Site, asked: Asked, found: Listing) -> dict[str, object]:
    """What the page shows."""
    path = f"browse/{asked.class_.slug}"
    here = asked.parameters
    title, language = site.describer.label(asked.class_.iri, found.labels)
    formats = {
        row.title.rpartition(" in ")[2]: _url(site, f"{asked.class_.slug}.{row.suffix}", here)
        for row in _FORMATS
        if row is not HTML
    }
    again: dict[str, str | list[str]] = {**here}
    return {
        "heading": title,
        "language": language,
        "asked": asked,
        "total": found.total,
        "members": asked.class_.members,
        "about": asked.class_.iri,
        "facets": [_facet(site, asked, found, tally, place) for place, tally in enumerate(found.tallies)],
        "chosen": _chosen(site, asked, found),
        "cleared": site.links.site(path, **({"sort": asked.order} if asked.order != _LABEL else {})),
        "values": _entries(site, found),
        "range": (found.before + 1, found.before + len(found.entries)) if found.before is not None else None,
        "orders": [
            (name, site.links.site(path, **{**here, "sort": "" if name == _LABEL else name})) for name in asked.orders
        ],
        "more": site.links.site(path, **again, after=str(found.more)) if found.more is not None else "",
        "start": site.links.site(path, **again),
        "first": asked.after < 0,
        "formats": formats,
        "milliseconds": site.publication.limits.facet_ms,
    }


def _entries(site: Site, found: Listing) -> list[dict[str, Any]]:
    """Each entity with its label and the facts that its page's header has."""
    views = site.describer.views([node_of(entry.iri) for entry in found.entries], incoming=())
    shown = []
    for entry, view in zip(found.entries, views, strict=True):
        text, language = site.describer.label(entry.iri, found.labels)
        url = site.describer.url(entry.iri)
        shown.append({"iri": entry.iri, "url": url, "text": text, "language": language, "facts": view.facts})
    return shown


def _facet(site: Site, asked: Asked, found: Listing, tally: Tally, place: int) -> dict[str, object]:
    """A facet as the page shows it: its first values, those chosen among them, and the link to the others."""
    facet = tally.facet
    chosen = {value.name for value in asked.choice.values.get(facet.name, ())}
    label, language = site.describer.pick(facet.names) or (facet.name, "")
    values = _in_sight(facet, tally.values, chosen, everything=asked.all == facet.name)
    others = len([value for value in tally.values if not _is_year(facet, value)]) + tally.more - len(values)
    here: dict[str, str | list[str]] = {**asked.parameters}
    return {
        "name": facet.name,
        "label": label,
        "language": language,
        "values": [_value(site, asked, found, facet, value, chosen) for value in values],
        "gave_up": tally.gave_up,
        "others": max(others, 0) if facet.kind != "period" else 0,
        "hidden": tally.more,
        "all": "" if asked.all == facet.name else site.links.site(_path(asked), **here, all=facet.name),
        "open": place < _OPEN or bool(chosen) or asked.all == facet.name,
    }


def _in_sight(facet: Facet, values: Sequence[Value], chosen: set[str], *, everything: bool) -> list[Value]:
    """The values that a page shows: the most frequent, and what is chosen; of dates the decades, and years in these."""
    if facet.kind == "period":
        decades = {name[:3] for name in chosen}
        periods = [value for value in values if not _is_year(facet, value) or everything or value.name[:3] in decades]
        return sorted(periods, key=lambda value: (value.name[:3], _is_year(facet, value), value.name))
    return [value for place, value in enumerate(values) if everything or place < _SHOWN or value.name in chosen]


def _is_year(facet: Facet, value: Value) -> bool:
    return facet.kind == "period" and not value.name.endswith("s")


def _value(site: Site, asked: Asked, found: Listing, facet: Facet, value: Value, chosen: set[str]) -> dict[str, object]:
    text, language = _named(site, found, facet, value)
    return {
        "text": text,
        "language": language,
        "count": value.count,
        "url": site.links.site(_path(asked), **asked.toggled(facet, value)),
        "chosen": value.name in chosen,
        "within": _is_year(facet, value),
    }


def _named(site: Site, found: Listing, facet: Facet, value: Value) -> tuple[str, str]:
    """(text, language) of a value: a label, yes or no, the years of a decade, or a text of the data."""
    if value.iri:
        return site.describer.label(value.iri, found.labels)
    if facet.kind == "boolean":
        return site.describer.say("yes") if value.name == "true" else site.describer.say("no"), ""
    if facet.kind == "period" and value.name.endswith("s"):
        return f"{value.name[:-1]}–{value.name[:-2]}9", ""
    return value.name, ""


def _chosen(site: Site, asked: Asked, found: Listing) -> list[dict[str, object]]:
    """What is chosen, with the link to the list without it."""
    rows = ((facet, value) for facet in asked.facets for value in asked.choice.values.get(facet.name, ()))
    return [
        {
            "facet": site.describer.pick(facet.names) or (facet.name, ""),
            "value": _named(site, found, facet, value),
            "url": site.links.site(_path(asked), **asked.toggled(facet, value)),
        }
        for facet, value in rows
    ]


def _path(asked: Asked) -> str:
    return f"browse/{asked.class_.slug}"


# The data


def _written(site: Site, asked: Asked, format_: Format, found: Listing) -> bytes | str:
    """The list in a format for programs."""
    if format_ is CSV:
        return as_csv(found.entries, found.labels, site.publication.languages)
    if format_ is JSON_OBJECT:
        return json.dumps(_as_json(site, asked, found), ensure_ascii=False, indent=1) + "\n"
    page = _url(site, asked.class_.slug, asked.parameters)
    triples = item_list(page, found.total, _items(asked, found), site.publication.skolem_prefix)
    return serialise.triples(format_, triples, site.publication.prefixes)


def _as_json(site: Site, asked: Asked, found: Listing) -> dict[str, object]:
    following = asked.parameters | {"after": [str(found.more)]}
    return {
        "class": asked.class_.iri,
        "labels": found.labels.get(asked.class_.iri, {}),
        "members": asked.class_.members,
        "found": found.total,
        "chosen": {name: [value.name for value in values] for name, values in asked.choice.values.items()},
        "sort": asked.order,
        "facets": [
            {
                "name": tally.facet.name,
                "kind": tally.facet.kind,
                "labels": dict(tally.facet.names),
                "gave_up": tally.gave_up,
                "more": tally.more,
                "values": [_value_as_json(value, found) for value in tally.values],
            }
            for tally in found.tallies
        ],
        "entries": [{"iri": entry.iri, "labels": found.labels.get(entry.iri, {})} for entry in found.entries],
        "next": _url(site, f"{asked.class_.slug}.json", following) if found.more is not None else None,
    }


def _value_as_json(value: Value, found: Listing) -> dict[str, object]:
    named = {"iri": value.iri, "labels": found.labels.get(value.iri, {})} if value.iri else {}
    return {"value": value.name, "count": value.count, **named}


def _items(asked: Asked, found: Listing) -> Iterator[Item]:
    """The entities with their class and labels."""
    for number, entry in enumerate(found.entries, 1):
        labels = [(text, language) for language, text in found.labels.get(entry.iri, {}).items()]
        position = None if found.before is None else found.before + number
        yield Item(entry.place + 1, entry.iri, labels, asked.class_.iri, position)

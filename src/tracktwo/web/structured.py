"""What search engines read in a page: its entity, or the dataset, as JSON-LD in the words of schema.org.

Made of what the page shows already, so that it costs no look-up; the whole is in the other formats.
"""

from typing import Any

from tracktwo.namespaces import OWL, RDF, SCHEMA, SKOS
from tracktwo.view import Value, View
from tracktwo.web.site import Site

_CONTEXT = "https://schema.org"
_SAME = {property_.value for property_ in (OWL.sameAs, SKOS.exactMatch, SCHEMA.sameAs)}
_MOST_VALUES = 10  # of one property: enough to be found by, not a document


def entity(view: View, url: str) -> dict[str, Any]:
    """The main entity of the page at `url`: names, description, and what it has of schema.org's own properties."""
    rows = [*(row for group in view.groups for row in group.rows), *view.derived]
    types = [*view.types, *(value for row in rows if row.iri == RDF.type.value for value in row.values)]
    kinds = [type_.iri for type_ in types if type_.iri.startswith(SCHEMA.iri)]
    own = {row.iri.removeprefix(SCHEMA.iri): row.values for row in rows if row.iri.startswith(SCHEMA.iri)}
    same = [value.iri for row in rows if row.iri in _SAME for value in row.values if value.iri]
    return {
        "@context": _CONTEXT,
        **({"@id": view.iri} if not view.iri.startswith("_:") else {}),
        "@type": [iri.removeprefix(SCHEMA.iri) for iri in kinds] or "Thing",
        **{name: [_value(value) for value in values[:_MOST_VALUES]] for name, values in own.items() if values},
        "name": view.label,
        **({"alternateName": [text for text, _ in view.also]} if view.also else {}),
        **({"description": view.summary[0]} if view.summary[0] else {}),
        **({"sameAs": same[:_MOST_VALUES]} if same else {}),
        "mainEntityOfPage": url,
    }


def dataset(site: Site) -> dict[str, Any]:
    """The dataset with its dumps, for its landing page."""
    publication, manifest = site.publication, site.release.manifest
    pick = site.describer.pick
    publisher = {"@type": "Organization", "@id": publication.publisher_iri, "name": publication.publisher_name}
    described = pick(publication.description)
    return {
        "@context": _CONTEXT,
        "@id": publication.dataset_iri,
        "@type": "Dataset",
        "name": (pick(publication.title) or ("",))[0],
        **({"description": described[0]} if described else {}),
        "url": site.links.absolute("dataset"),
        "version": site.release.id,
        "dateModified": manifest["created"],
        **({"license": publication.licence} if publication.licence else {}),
        **({"publisher": publisher} if publication.publisher_iri else {}),
        "distribution": [
            {
                "@type": "DataDownload",
                "contentUrl": site.links.absolute("dump/" + file["name"]),
                "encodingFormat": file["media_type"],
            }
            for file in manifest["dumps"]
        ],
    }


def _value(value: Value) -> str | dict[str, str]:
    return {"@id": value.iri, "name": value.text} if value.iri and not value.iri.startswith("_:") else value.text

"""What search engines read in a page: its entity, or the dataset, as JSON-LD in the words of schema.org.

Made of what the page shows already, so that it costs no look-up; the whole is in the other formats.
"""

from typing import Any

from tracktwo.namespaces import LABELS, OWL, SCHEMA, SUMMARIES
from tracktwo.view import Value, View
from tracktwo.web.site import Site

_CONTEXT = "https://schema.org"
_MOST_VALUES = 10  # of one property: enough to be found by, not a document
_KEPT = {property_.value for property_ in (*LABELS, *SUMMARIES, OWL.sameAs)}


def entity(view: View) -> dict[str, Any] | None:
    """The main entity of a page: its types, names, descriptions, and what is said of it in the words of schema.org.

    Each statement is one of the data, as it stands there: a page invents none. None for what has no IRI.
    """
    if view.iri.startswith("_:"):
        return None
    rows = [*(row for group in view.groups for row in group.all_rows), *view.derived]
    said = {row.iri: [_term(value) for value in row.values if _is_plain(value)][:_MOST_VALUES] for row in rows}
    return {
        "@context": {"@vocab": SCHEMA.iri},
        "@id": view.iri,
        "@type": [type_.iri.removeprefix(SCHEMA.iri) for type_ in view.types],
        **{
            iri.removeprefix(SCHEMA.iri): terms
            for iri, terms in said.items()
            if terms and (iri.startswith(SCHEMA.iri) or iri in _KEPT)
        },
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


def _is_plain(value: Value) -> bool:
    """Is it one term with a name of its own, an IRI or a literal?"""
    return value.kind not in ("list", "node", "span") and not value.iri.startswith("_:")


def _term(value: Value) -> dict[str, str]:
    """A term as a value object or node of JSON-LD (JSON-LD 1.1 section 4.2)."""
    if value.iri:
        return {"@id": value.iri}
    if value.language:
        return {"@value": value.text, "@language": value.language}
    return {"@value": value.text, **({"@type": value.datatype_iri} if value.datatype_iri else {})}

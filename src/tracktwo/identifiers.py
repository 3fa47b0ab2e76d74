"""Well-known identifiers: IRIs that are better read as the name of their scheme and the identifier itself."""

import re
from urllib.parse import unquote

#: (scheme, pattern of its IRIs, whose group is the identifier). A further scheme is a further row.
_SCHEMES: tuple[tuple[str, str], ...] = (
    ("Wikidata", r"https?://(?:www\.)?wikidata\.org/(?:entity|wiki)/([QPL]\d+)"),
    ("ROR", r"https?://ror\.org/(0[a-z0-9]{8})"),
    ("GeoNames", r"https?://(?:sws|www)\.geonames\.org/(\d+)(?:/.*)?"),
    ("VIAF", r"https?://(?:www\.)?viaf\.org/viaf/(\d+)/?"),
    ("ISNI", r"https?://(?:www\.)?isni\.org/(?:isni/)?([0-9]{15}[0-9X])"),
    ("ORCID", r"https?://orcid\.org/(\d{4}-\d{4}-\d{4}-\d{3}[0-9X])"),
    ("DOI", r"https?://(?:dx\.)?doi\.org/(10\.\d+/.+)"),
    ("GND", r"https?://d-nb\.info/gnd/([0-9X-]+)"),
    ("LCNAF", r"https?://id\.loc\.gov/authorities/names/(\w+)"),
    ("LCSH", r"https?://id\.loc\.gov/authorities/subjects/(\w+)"),
    ("OpenAlex", r"https?://openalex\.org/([A-Z]\d+)"),
    ("DBpedia", r"https?://(?:[a-z]+\.)?dbpedia\.org/resource/([^?#]+)"),
    ("Wikipedia", r"https?://[a-z-]+\.(?:m\.)?wikipedia\.org/wiki/([^?#]+)"),
)


def named(iri: str) -> str:
    """`Wikidata Q1` for an IRI of a known scheme, empty for any other."""
    for scheme, pattern in _SCHEMES:
        if found := re.fullmatch(pattern, iri):
            return f"{scheme} {unquote(found[1]).replace('_', ' ')}"
    return ""

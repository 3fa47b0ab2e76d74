"""Help for whoever asks a query that can't mean what it says: never by changing the answer, only beside it."""

import difflib
import re
from collections.abc import Mapping

from tracktwo.catalog import Catalog
from tracktwo.links import Links
from tracktwo.querytext import iris_in, undeclared

_IRIS_LOOKED_AT = 50
_LONGEST_TEXT = 10_000  # nobody wrote a longer one by hand


def unknown_term(text: str, catalog: Catalog, links: Links, prefixes: Mapping[str, str]) -> str:
    """A sentence if the query names an IRI under our base that does not occur, with the nearest one that does."""
    if len(text) > _LONGEST_TEXT:
        return ""
    named = [iri for iri in iris_in(text, prefixes) if links.is_ours(iri) and iri not in prefixes.values()]
    named = named[:_IRIS_LOOKED_AT]
    known = catalog.mentioned(named)
    for iri in named:
        if iri not in known and not catalog.documents_among([iri]):
            nearest = _nearest(iri, catalog)
            return f"<{iri}> does not occur here." + (f" Did you mean <{nearest}>?" if nearest else "")
    return ""


def unknown_prefix(text: str, prefixes: Mapping[str, str]) -> str:
    """A sentence for a query that uses a prefix nobody has declared, with the line that declares the nearest known."""
    if len(text) > _LONGEST_TEXT:
        return ""
    missing = undeclared(text) - prefixes.keys() - {""}
    if not missing:
        return ""
    unknown = min(missing)
    close = difflib.get_close_matches(unknown, prefixes, n=1, cutoff=0.5)
    sentence = f"Nobody has declared the prefix “{unknown}:”."
    if not close:
        return sentence
    line = f"PREFIX {close[0]}: <{prefixes[close[0]]}>"
    return f"{sentence} Did you mean “{close[0]}:”? It needs no declaration here; elsewhere add the line {line}"


def _nearest(iri: str, catalog: Catalog) -> str:
    """The IRI most like this one among those of the same namespace."""
    namespace = re.sub(r"[^/#]*$", "", iri)
    names = [other[len(namespace) :] for other in catalog.starting_with(namespace)]
    close = difflib.get_close_matches(iri[len(namespace) :], names, n=1, cutoff=0.5)
    return namespace + close[0] if close else ""

"""Help for whoever asks a query that can't mean what it says: never by changing the answer, only beside it."""

import difflib
import re
from collections.abc import Mapping

from tracktwo.catalog import Catalog
from tracktwo.links import Links
from tracktwo.querytext import declared, iris_in, tokens

_IRIS_LOOKED_AT = 50
_LONGEST_TEXT = 10_000  # nobody wrote a longer one by hand
_NEAR = 0.7  # of two names: a slip of the pen, not another word


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
            written, meant = _as_written(text, iri, nearest, prefixes)
            return f"{written} does not occur here." + (f" Did you mean {meant}?" if nearest else "")
    return ""


def _as_written(text: str, iri: str, nearest: str, prefixes: Mapping[str, str]) -> tuple[str, str]:
    """An IRI as a query has it, and the nearest in the same way: with the prefix, or in full."""
    for prefix, namespace in declared(text, prefixes).items():
        name = f"{prefix}:{iri.removeprefix(namespace)}"
        if iri.startswith(namespace) and ("name", name) in tokens(text):
            return name, f"{prefix}:{nearest.removeprefix(namespace)}"
    return f"<{iri}>", f"<{nearest}>"


def unknown_prefix(unknown: str, prefixes: Mapping[str, str]) -> str:
    """A sentence for a prefix that nobody has declared, with the line that declares the nearest one known."""
    if not unknown:
        return ""
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
    close = difflib.get_close_matches(iri[len(namespace) :], names, n=1, cutoff=_NEAR)
    return namespace + close[0] if close else ""

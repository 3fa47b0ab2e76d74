"""What can be told of a SPARQL query from its text alone: words, IRIs, the endpoints and graphs that it names.

No parser: the engine is the only judge of what a query means. These readings serve refusals, hints and caching, and err
on the side of seeing too much.
"""

import re
from collections.abc import Iterator, Mapping

#: Everything in a query that is not a keyword: comments, IRIs, strings, prefixed names, variables, language tags.
_NO_KEYWORD = (
    r"""#[^\n\r]*|<[^\s<>"{}|^`\\]*>"""
    r"""|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'"""
    r"""|[\w.\-]*:[\w.\-%:]*|[?$]\w+|@[A-Za-z\-]+"""
)
_TOKEN = re.compile(_NO_KEYWORD, re.DOTALL)
_WORD_OR_TOKEN = re.compile(_NO_KEYWORD + r"|[A-Za-z]+", re.DOTALL)
_DECLARATION = re.compile(r"PREFIX\s+([\w.-]*):\s*<([^>]*)>", re.IGNORECASE)
_PROLOGUE = re.compile(r"(?:PREFIX\s+[\w.-]*:|BASE)\s*<[^>]*>", re.IGNORECASE)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")

#: Functions whose value differs from one run to the next (SPARQL 1.1 section 17.4).
_VOLATILE = ("NOW", "RAND", "UUID", "STRUUID", "BNODE")


def unescaped(text: str) -> str:
    """Code point escapes replaced (SPARQL 1.1 section 19.2), which may spell a keyword."""
    return _ESCAPE.sub(lambda escape: chr(min(int(escape[1] or escape[2], 16), 0x10FFFF)), text)


def words(text: str) -> list[str]:
    """The bare words behind the prologue, in upper case: keywords and function names."""
    return [word.upper() for word in re.findall(r"[A-Za-z]+", _TOKEN.sub(" ", _PROLOGUE.sub(" ", text)))]


def is_volatile(text: str) -> bool:
    """Does the query call a function whose value differs from one run to the next?"""
    return any(word in _VOLATILE for word in words(unescaped(text)))


def iris_in(text: str, prefixes: Mapping[str, str]) -> list[str]:
    """The IRIs that a query names, written out or with a prefix, in order."""
    declared = _declared(text, prefixes)
    found = (_iri(token, declared) for token in _TOKEN.findall(_DECLARATION.sub(" ", text)))
    return list(dict.fromkeys(iri for iri in found if iri))


def services_in(text: str, prefixes: Mapping[str, str]) -> list[str]:
    """What each SERVICE names: an IRI, or what stands in its place where that is none."""
    return [_iri(token, _declared(text, prefixes)) or token for _, token in _after("SERVICE", "SILENT", text)]


def graphs_in(text: str, prefixes: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """(graphs of FROM, graphs of FROM NAMED) (SPARQL 1.1 section 13.2)."""
    declared = _declared(text, prefixes)
    clauses = [(named, _iri(token, declared)) for named, token in _after("FROM", "NAMED", text)]
    return [iri for named, iri in clauses if iri and not named], [iri for named, iri in clauses if iri and named]


def _after(keyword: str, option: str, text: str) -> Iterator[tuple[bool, str]]:
    """(was the option there, the token) that follows each occurrence of a keyword and its optional second word."""
    found = [token for token in _WORD_OR_TOKEN.findall(text) if not token.startswith("#")]
    for position, token in enumerate(found):
        if token.upper() == keyword:
            following = [*found[position + 1 : position + 3], "", ""]
            optional = following[0].upper() == option
            yield optional, following[1] if optional else following[0]


def _declared(text: str, prefixes: Mapping[str, str]) -> dict[str, str]:
    return {**prefixes, **dict(_DECLARATION.findall(text))}


def _iri(token: str, declared: Mapping[str, str]) -> str:
    """The IRI that a token stands for, empty where it stands for none."""
    if token.startswith("<"):
        return token[1:-1]
    prefix, colon, local = token.partition(":")
    return declared[prefix] + local.rstrip(".") if colon and prefix in declared else ""

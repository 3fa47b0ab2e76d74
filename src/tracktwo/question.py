"""Saved queries: their parameters, and how they are described for other tools.

A parameter is a `VALUES ?name { term }` with one variable and one IRI or literal: the query runs as it stands, with the
term as the default, and another one can be put in its place. The parameter `language` is that of the texts it selects.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, Triple

from tracktwo import querytext
from tracktwo.namespaces import RDF, RDFS, SCHEMA, SH, XSD

_IRI = r"<[^<>\s]*>|[\w.-]*:[\w.%-]*\w"
_LITERAL = rf'"[^"\\\n]*"(?:\^\^(?:{_IRI})|@[A-Za-z0-9-]+)?|[+-]?\d+(?:\.\d+)?|true|false'
_PARAMETER = re.compile(rf"(VALUES\s+\?(\w+)\s*\{{\s*)({_LITERAL}|{_IRI})(\s*\}})", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]*)"(?:\^\^(.+)|@(.+))?')
_PREFIX = re.compile(r"^\s*PREFIX\s+([\w.-]*):\s*<([^>]*)>", re.IGNORECASE | re.MULTILINE)

_HEAD = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\n)+")
_HUMP = re.compile(r"_|(?<=[a-z0-9])(?=[A-Z])")

#: The parameter that a page fills with the language it is read in.
LANGUAGE = "language"

_KINDS = {"SELECT": ("SPARQLSelectExecutable", "select"), "ASK": ("SPARQLAskExecutable", "ask")}
_OTHER_KIND = ("SPARQLConstructExecutable", "construct")


@dataclass(frozen=True)
class Question:
    """A saved query: its file's name without number and ending, the lines of its head by key, and the whole text.

    The head is the comments at the text's beginning: `title: …`, `question: …` in English, `question@ru: …` and the
    like in other languages, `picture: …` for how its answer is drawn, `?variable: …` and `?variable@ru: …` for what
    heads the column or the field of a variable.
    """

    slug: str
    head: Mapping[str, str]
    text: str

    @property
    def title(self) -> str:
        """What it is called: its `title` line, else its slug."""
        return self.head.get("title", self.slug)

    @property
    def picture(self) -> str:
        """What kind of picture its answer is drawn as: its `picture` line, empty without one."""
        return self.head.get("picture", "")

    def in_languages(self, key: str) -> dict[str, str]:
        """What the head says under a key, by language."""
        lines = ((name.partition("@"), text) for name, text in self.head.items())
        return {language or "en": text for (name, _, language), text in lines if name == key}

    def heading(self, variable: str) -> dict[str, str]:
        """What heads a variable's column or field, by language; its name in words where the head has no English."""
        return {"en": _HUMP.sub(" ", variable).lower(), **self.in_languages("?" + variable)}

    def speaks(self, languages: Collection[str]) -> bool:
        """Has it a parameter `language`, whose default is one of these?"""
        default = self.parameters({}).get(LANGUAGE)
        return isinstance(default, Literal) and default == Literal(default.value) and default.value in languages

    def spoken(self, language: str, languages: Collection[str]) -> str:
        """The text for a reader of one of the languages."""
        return self.bound({LANGUAGE: Literal(language)}) if self.speaks(languages) else self.text

    def to_edit(self, text: str) -> str:
        """A text of it, such as `spoken` gives, without the comments at its head."""
        return _HEAD.sub("", text)

    def parameters(self, prefixes: Mapping[str, str]) -> dict[str, NamedNode | Literal]:
        """The parameters with their defaults, in the order of the text."""
        known = {**prefixes, **dict(_PREFIX.findall(self.text))}
        return {name: _term(term, known) for _, name, term, _ in _PARAMETER.findall(self.text)}

    def properties_of(self, parameter: str, prefixes: Mapping[str, str]) -> list[str]:
        """The properties of which a parameter is the value, where the text has them right before it."""
        known = {**prefixes, **dict(_PREFIX.findall(self.text))}
        tokens = [("sign", "")] * 2 + querytext.tokens(self.text)
        return [
            _expanded(text, known)
            for (_, before), (kind, text), (_, variable) in zip(tokens, tokens[1:], tokens[2:], strict=False)
            if variable in (f"?{parameter}", f"${parameter}") and kind in ("iri", "name") and before != "^"
        ]

    def bound(self, values: Mapping[str, NamedNode | Literal]) -> str:
        """The text with other terms for some of its parameters."""

        def put(found: re.Match[str]) -> str:
            value = values.get(found[2])
            return f"{found[1]}{value}{found[4]}" if value is not None else found[0]

        return _PARAMETER.sub(put, self.text)


def described(questions: Iterable[Question], base: str, endpoint: str, prefixes: Mapping[str, str]) -> list[Triple]:
    """The questions as `sh:SPARQLExecutable`, as the SIB's convention for example queries has it.

    `base` begins their IRIs; `endpoint` is the URL that answers them.
    """
    return list(_described(questions, base, endpoint, prefixes))


def _described(
    questions: Iterable[Question], base: str, endpoint: str, prefixes: Mapping[str, str]
) -> Iterator[Triple]:
    declarations = NamedNode(base + "#prefixes")
    for prefix, namespace in sorted(prefixes.items()):
        node = NamedNode(f"{base}#prefix-{prefix}")
        yield Triple(declarations, SH.declare, node)
        yield Triple(node, SH.prefix, Literal(prefix))
        yield Triple(node, SH.namespace, Literal(namespace, datatype=XSD.anyURI))
    for question in questions:
        me = NamedNode(base + question.slug)
        kind, property_ = _KINDS.get(_form(question.text), _OTHER_KIND)
        yield Triple(me, RDF.type, SH.SPARQLExecutable)
        yield Triple(me, RDF.type, SH[kind])
        yield Triple(me, RDFS.label, Literal(question.title, language="en"))
        for language, text in question.in_languages("question").items():
            yield Triple(me, RDFS.comment, Literal(text, language=language))
        yield Triple(me, SH.prefixes, declarations)
        yield Triple(me, SH[property_], Literal(question.text))
        yield Triple(me, SCHEMA.target, NamedNode(endpoint))


def _form(text: str) -> str:
    """SELECT, ASK, or another form: the first keyword after comments and declarations."""
    plain = re.sub(r"#[^\n]*|(?:PREFIX\s+[\w.-]*:|BASE)\s*<[^>]*>", " ", text, flags=re.IGNORECASE)
    words = plain.split(maxsplit=1)
    return words[0].upper() if words else ""


def _term(text: str, prefixes: Mapping[str, str]) -> NamedNode | Literal:
    """The term that a token or two write."""
    if quoted := _QUOTED.fullmatch(text):
        datatype = NamedNode(_expanded(quoted[2], prefixes)) if quoted[2] else None
        return Literal(quoted[1], datatype=datatype, language=quoted[3])
    if re.fullmatch(r"true|false", text, re.IGNORECASE):
        return Literal(text.lower(), datatype=XSD.boolean)
    if re.fullmatch(r"[+-]?[\d.]+", text):
        return Literal(text, datatype=XSD.decimal if "." in text else XSD.integer)
    return NamedNode(_expanded(text, prefixes))


def _expanded(term: str, prefixes: Mapping[str, str]) -> str:
    if term.startswith("<"):
        return term[1:-1]
    prefix, _, local = term.partition(":")
    return prefixes.get(prefix, prefix + ":") + local

"""The language of a page: which one a reader gets, and the words of the interface in it.

Words are gettext catalogues, `interface/LANGUAGE.po`, read as they are; English is what the templates say. Dates and
numbers are written as the language writes them (Unicode CLDR, by Babel).
"""

import functools
import io
import re
from collections.abc import Sequence
from datetime import date
from gettext import NullTranslations
from importlib.resources import files
from urllib.parse import urlencode

from babel import Locale, UnknownLocaleError, dates, numbers, units
from babel.core import get_global
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Response, g, request
from werkzeug.datastructures import LanguageAccept

from tracktwo.errors import Sentence
from tracktwo.formats import HTML, JSON_OBJECT, OPENSEARCH, SUGGESTIONS
from tracktwo.links import Links

_OWN = "en"

#: Formats in which the reader's language is spoken.
SPOKEN = (HTML.media_type, JSON_OBJECT.media_type, SUGGESTIONS.media_type, OPENSEARCH.media_type)


class Interface:
    """The site's own words in one language; English where there is no catalogue for it."""

    def __init__(self, language: str) -> None:
        catalogue = files("tracktwo.web") / "interface" / f"{language}.po"
        self._words: NullTranslations = NullTranslations()
        self.language = _OWN
        if catalogue.is_file():
            compiled = io.BytesIO()
            write_mo(compiled, read_po(io.BytesIO(catalogue.read_bytes()), locale=language))
            compiled.seek(0)
            self._words = Translations(compiled)
            self.language = language
        self._locale = Locale.parse(self.language)
        self.gettext = self._words.gettext
        self.ngettext = self._words.ngettext

    def forms(self, one: str, many: str) -> dict[str, str]:
        """A sentence that counts, in each form that the language has for whole numbers, by CLDR's name of the form."""
        return {self._locale.plural_form(count): self.ngettext(one, many, count) for count in range(200)}

    def number(self, value: float) -> str:
        """A number with the language's separators."""
        return numbers.format_decimal(value, locale=self._locale)

    def amount(self, value: float, unit: str) -> str:
        """So much of a unit of CLDR, such as `20 seconds`."""
        return str(units.format_unit(value, unit, locale=self._locale))

    def day(self, lexical: str) -> str:
        """A year, month, day or moment of XML Schema in words; what is none of these as it is.

        `2021`, `2021-10`, `2021-10-05`, `2021-10-05T…`; a time zone is left out of a date and kept out of the words.
        """
        year, *rest = lexical.partition("T")[0].rstrip("Z").split("+")[0].split("-")
        try:
            if not rest:
                return str(int(year))
            day = date(int(year), int(rest[0]), int(rest[1]) if len(rest) > 1 else 1)
        except ValueError:
            return lexical
        form = "d MMMM y" if len(rest) > 1 else "LLLL y"
        return dates.format_date(day, form, locale=self._locale)

    def name_of(self, tag: str) -> str:
        """What a language is called in this one; its tag where nobody has said."""
        try:
            return Locale.parse(tag, sep="-").get_display_name(self._locale) or tag
        except (UnknownLocaleError, ValueError):
            return tag


interface = functools.cache(Interface)


@functools.cache
def own_name(tag: str) -> str:
    """What a language calls itself, for a switch; its tag where nobody has said."""
    try:
        return (Locale.parse(tag, sep="-").get_display_name() or tag).capitalize()
    except (UnknownLocaleError, ValueError):
        return tag


@functools.cache
def territory(tag: str) -> str:
    """A language with the territory where most speak it, such as `en_US`, as the Open Graph protocol names locales."""
    try:
        locale = Locale.parse(get_global("likely_subtags").get(tag, tag).replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return tag
    return f"{locale.language}_{locale.territory}" if locale.territory else locale.language


def chosen(offered: Sequence[str], named: str, accepted: LanguageAccept) -> str:
    """One of the languages offered: the one that the URL names, else what the reader likes best, else the first."""
    if named in offered:
        return named
    return accepted.best_match(offered, default=offered[0]) or offered[0]


def languages(links: Links, offered: Sequence[str]) -> list[tuple[str, str]]:
    """The page that is asked for in each language: (language, absolute URL); none where there is but one."""
    if len(offered) < 2:
        return []
    return [(language, in_language(_page(links), language)) for language in offered]


def canonical(links: Links, offered: Sequence[str]) -> str:
    """The absolute URL of the page that is asked for (RFC 6596), in the language that the request names, if any.

    It is where the page is served, as `hreflang` has to be; what the page is about is cited by its IRI (`cite-as`).
    """
    return dict(languages(links, offered)).get(links.language) or _page(links)


def hreflangs(links: Links, offered: Sequence[str]) -> list[tuple[str, str]]:
    """The page in each language, and the one that leaves the language to the reader's browser."""
    spoken_in = languages(links, offered)
    return [*spoken_in, ("x-default", _page(links))] if spoken_in else []


def _page(links: Links) -> str:
    """The absolute URL of the page that is asked for, without a language and in no fixed format."""
    return re.sub(r"\.html$|[?&]format=html$", "", g.get("page") or asked(links))


def in_language(url: str, language: str) -> str:
    """The URL of a page with the language that it is to be in."""
    return url + ("&" if "?" in url else "?") + urlencode({"lang": language})


def without_language(query: str) -> str:
    """A URL's query without the last `lang`, which is ours; an IRI may have one of its own before it."""
    parts = query.split("&")
    ours = [number for number, part in enumerate(parts) if part.startswith("lang=")][-1:]
    return "&".join(part for number, part in enumerate(parts) if number not in ours)


def asked(links: Links) -> str:
    """The absolute URL of the request, without a language."""
    path = request.environ.get("tracktwo.raw_path") or request.path
    query = request.query_string.decode("latin-1")
    kept = without_language(query) if links.language else query
    return links.absolute(path.lstrip("/")) + (f"?{kept}" if kept else "")


def spoken(response: Response, media_type: str) -> None:
    """Say which language a page is in, and that it follows from what the reader's browser asks for."""
    site = getattr(g, "site", None)
    if site is None or media_type not in SPOKEN:
        return
    response.headers["Content-Language"] = site.language
    if not site.links.language and len(site.publication.languages) > 1:
        response.vary.add("Accept-Language")


def said(text: str) -> tuple[str, str]:
    """What an error says, for a reader: (the text, its language), in the page's language where the catalogue has it."""
    spoken_in: Interface = g.get("interface") or interface("en")
    sentence = text if isinstance(text, Sentence) else Sentence(text)
    translated = sentence.translated(spoken_in.gettext) if text else sentence
    return str(translated), "en" if translated == text else spoken_in.language

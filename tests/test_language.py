"""The interface's languages: every sentence translated, chosen as readers expect, dates as each language has them."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import serving
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from conftest import ROOT
from serving import HTML, Site
from werkzeug.datastructures import LanguageAccept

from tracktwo.publication import SETTINGS
from tracktwo.web import query
from tracktwo.web.language import Interface, chosen, interface, own_name
from tracktwo.web.problems import EXPLAINED

own_site = serving.own_site

WEB = ROOT / "src" / "tracktwo" / "web"
CATALOGUES = sorted((WEB / "interface").glob("*.po"))
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "say": None}
PLACEHOLDER = r"%\(\w+\)s|%s|\{\w+\}"
PERSON = "/doc/person/viktor-yesin"
PAGES = ["/", "/about", "/sparql", "/dataset", "/dump/", "/limits", "/query/", "/search?q=Yesin", PERSON]


def sentences() -> set[str | tuple[str, ...]]:
    """What templates and code say in English, and what they take from tables."""
    found: set[str | tuple[str, ...]] = set()
    for path in sorted((ROOT / "src" / "tracktwo").rglob("*")):
        if path.suffix in (".html", ".py"):
            html = path.suffix == ".html"
            options = {"newstyle_gettext": "true"} if html else {}
            method = "jinja2.ext:babel_extract" if html else "python"
            with path.open("rb") as file:
                found |= {row[1] for row in extract(method, file, KEYWORDS, (), options)}
    found |= {row.meaning for row in SETTINGS if row.name.startswith(query._BOUNDING)}
    return found | set(EXPLAINED.values())


def catalogue(path: Path) -> Catalog:
    return read_po(io.BytesIO(path.read_bytes()), locale=path.stem)


def messages(path: Path) -> Iterator[tuple[str | tuple[str, ...], str | tuple[str, ...]]]:
    for message in catalogue(path):
        if message.id:
            key = message.id if isinstance(message.id, str) else tuple(message.id)
            yield key, message.string if isinstance(message.string, str) else tuple(message.string or ())


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_sentence_is_translated_and_none_besides(path: Path) -> None:
    said = sentences()
    assert len(said) > 150
    assert said == {key for key, _ in messages(path)}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_translations_are_whole(path: Path) -> None:
    """No empty form, as many forms as the language has, and the placeholders of the original."""
    forms = catalogue(path).num_plurals
    checked = 0
    for key, text in messages(path):
        given = text if isinstance(text, tuple) else (text,)
        assert all(given), key
        assert len(given) == (forms if isinstance(key, tuple) else 1), key
        wanted = set(re.findall(PLACEHOLDER, key[-1] if isinstance(key, tuple) else key))
        assert wanted == set(re.findall(PLACEHOLDER, given[-1])), key
        checked += 1
    assert checked > 150


def test_there_is_a_catalogue_of_russian() -> None:
    assert ["ru"] == [path.stem for path in CATALOGUES]


@pytest.mark.parametrize(
    ("named", "header", "expected"),
    [
        ("ru", "en", "ru"),
        ("", "ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("", "en-GB,en;q=0.9,ru;q=0.1", "en"),
        ("", "de,fr;q=0.5", "en"),
        ("", "", "en"),
        ("xx", "ru", "ru"),
        ("", "*", "en"),
    ],
)
def test_the_url_counts_first_then_the_browser(named: str, header: str, expected: str) -> None:
    pairs = [part.strip().partition(";q=") for part in header.split(",") if part]
    accepted = LanguageAccept([(name, float(quality or 1)) for name, _, quality in pairs])
    assert expected == chosen(("en", "ru"), named, accepted)


@pytest.mark.parametrize(
    ("lexical", "english", "russian"),
    [
        ("2021", "2021", "2021"),
        ("2021-10", "October 2021", "октябрь 2021"),
        ("2021-10-05", "5 October 2021", "5 октября 2021"),
        ("2021-10-05Z", "5 October 2021", "5 октября 2021"),
        ("2021-10-05T12:00:00+03:00", "5 October 2021", "5 октября 2021"),
        ("2021-02-30", "2021-02-30", "2021-02-30"),
        ("-0044-03-15", "-0044-03-15", "-0044-03-15"),
        ("yesterday", "yesterday", "yesterday"),
        ("", "", ""),
    ],
)
def test_a_date_is_written_as_the_language_has_it(lexical: str, english: str, russian: str) -> None:
    assert (english, russian) == (interface("en").day(lexical), interface("ru").day(lexical))


def test_numbers_and_forms_follow_the_language() -> None:
    english, russian = interface("en"), interface("ru")
    assert ("24,623", "24\xa0623") == (english.number(24623), russian.number(24623))
    counted = [russian.ngettext("%(num)s file", "%(num)s files", count) for count in (1, 2, 5, 11, 21)]
    assert ["файл", "файла", "файлов", "файлов", "файл"] == [text.split()[1] for text in counted]


def test_a_language_without_a_catalogue_has_the_english_words() -> None:
    greek = Interface("el")
    assert ("en", "Search") == (greek.language, greek.gettext("Search"))


def test_a_switch_names_each_language_in_itself() -> None:
    assert ("English", "Русский", "Ελληνικά") == (own_name("en"), own_name("ru"), own_name("el"))


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_there_in_both_languages(own_site: Site, path: str) -> None:
    mark = "&" if "?" in path else "?"
    russian = own_site.get(f"{path}{mark}lang=ru", HTML)
    assert (200, "ru") == (russian.status_code, russian.headers["content-language"])
    assert '<html lang="ru">' in russian.text
    assert "К содержанию" in russian.text
    assert "Accept-Language" not in russian.headers["vary"]
    links = re.findall(r'<a [^>]*href="(/[^"#]*)', russian.text)
    pages = [link for link in links if not re.search(r"\.\w+(\?|$)|/dump/.|format=", link)]
    assert len(pages) > 5
    assert [] == [link for link in pages if "lang=ru" not in link]


def test_a_browser_gets_its_language_and_caches_know_why(own_site: Site) -> None:
    russian, english = (own_site.get(PERSON, HTML, accept_language=language) for language in ("ru", "en"))
    assert ("ru", "en") == (russian.headers["content-language"], english.headers["content-language"])
    assert "Accept-Language" in russian.headers["vary"]
    assert russian.headers["etag"] != english.headers["etag"]
    assert "Виктор Есин</bdi></h1>" in russian.text
    assert "Viktor Yesin</bdi></h1>" in english.text


def test_data_has_no_language(own_site: Site) -> None:
    both = [own_site.get(PERSON, "text/turtle", accept_language=language) for language in ("en", "ru")]
    assert both[0].content == both[1].content
    assert "content-language" not in both[0].headers
    assert own_site.get(f"{PERSON}?lang=ru", "text/turtle").content == both[0].content


def test_a_redirect_keeps_the_language(own_site: Site) -> None:
    answer = own_site.get("/id/person/viktor-yesin?lang=ru", HTML)
    assert (303, True) == (answer.status_code, answer.headers["location"].endswith("/doc/person/viktor-yesin?lang=ru"))

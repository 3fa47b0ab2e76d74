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
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "say": None, "Sentence": None}
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


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (
            "/doc/person/nobody",
            404,
            "По адресу &lt;https://w3id.org/tracktwo/doc/person/nobody&gt; ничего не опубликовано.",
        ),
        ("/browse/meetin", 404, "Класса с названием «meetin» здесь нет."),
        ("/browse/meeting?sort=oldes", 400, "Может быть, «oldest»?"),
        ("/query/nothing", 404, "Сохранённого запроса с названием «nothing» нет."),
    ],
)
def test_an_error_is_told_in_the_readers_language(own_site: Site, path: str, status: int, said: str) -> None:
    """Its page has all that other pages have; machines get the English that they had."""
    russian = own_site.get(f"{path}{'&' if '?' in path else '?'}lang=ru", HTML)
    assert (status, "ru") == (russian.status_code, russian.headers["content-language"])
    title = {404: "Не найдено", 400: "Неверный запрос"}[status]
    assert f"<title>{title} · Второй трек</title>" in russian.text
    assert f"<h1>{status} {title}</h1>" in russian.text
    assert said in russian.text
    assert "lang=ru&gt;" not in russian.text
    assert ["en", "ru"] == re.findall(r'<a href="[^"]*" lang="(\w+)" hreflang', russian.text)
    assert "canonical" not in russian.text
    assert not re.search(r"[А-я]", own_site.get(f"{path}{'&' if '?' in path else '?'}lang=ru", "application/json").text)
    english = own_site.get(path, HTML, accept_language="en")
    assert not re.search(r"[А-я]", re.sub(r'<nav class="languages".*?</nav>', "", english.text, flags=re.DOTALL))


def test_a_page_that_is_not_there_offers_a_search_for_its_words(own_site: Site) -> None:
    page = own_site.get("/doc/person/viktor-esin.ttl?lang=en", HTML).text
    assert 'name="q" type="search" value="viktor esin"' in page
    beyond = own_site.get("/describe?lang=en&iri=http%3A%2F%2Fexample.org%2Fx%23Any_body", HTML).text
    assert 'name="q" type="search" value="Any body"' in beyond


def test_what_no_catalogue_has_is_marked_as_english(own_site: Site) -> None:
    wrong = own_site.get("/sparql?lang=ru&query=SELECT%20nonsense", HTML).text
    assert '<pre><span lang="en">' in wrong
    assert "400 Неверный запрос" in wrong


def test_amounts_are_in_plain_units_of_the_language(own_site: Site) -> None:
    english, russian = (own_site.get(f"/limits?lang={language}", HTML).text for language in ("en", "ru"))
    assert "<dd>20 seconds</dd>" in english
    assert "<dd>1 megabyte</dd>" in english
    assert "<dd>20 секунд</dd>" in russian
    assert " bytes</dd>" not in english


def test_the_foot_of_a_page_names_the_publication_in_its_language(own_site: Site) -> None:
    foot = own_site.get("/?lang=ru", HTML).text.partition('<footer class="site">')[2]
    assert "Второй трек" in foot
    assert "Track Two" not in foot


def test_a_redirect_keeps_the_language(own_site: Site) -> None:
    answer = own_site.get("/id/person/viktor-yesin?lang=ru", HTML)
    assert (303, True) == (answer.status_code, answer.headers["location"].endswith("/doc/person/viktor-yesin?lang=ru"))

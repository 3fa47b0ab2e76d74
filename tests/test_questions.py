"""Every question of a publication is answered on its release by exactly the rows beside it, in their order and in each
language; dates count as precisely as they are given.
"""

import re
from pathlib import Path

import pytest
from conftest import FOREIGN, OWN, Built
from pyoxigraph import QueryResultsFormat, QuerySolutions, RdfFormat, Store, parse_query_results

from tracktwo import publication as publications
from tracktwo.formats import TSV
from tracktwo.question import LANGUAGE, Question
from tracktwo.release import questions
from tracktwo.store import Query
from tracktwo.web.site import Site

OWN_FOLDER, FOREIGN_FOLDER = OWN / "ontology" / "questions", FOREIGN / "vocabulary" / "questions"
QUESTIONS = [
    *(("own_opened", path) for path in sorted(OWN_FOLDER.glob("*.rq"))),
    *(("foreign_opened", path) for path in sorted(FOREIGN_FOLDER.glob("*.rq"))),
]
NAMES = [f"{site.partition('_')[0]}-{path.stem}" for site, path in QUESTIONS]

Rows = tuple[list[str], list[list[str]]]


def table(content: bytes) -> Rows:
    """Columns, and rows of terms as N-Triples write them; empty where a row has none."""
    found = parse_query_results(content, format=QueryResultsFormat.TSV)
    assert isinstance(found, QuerySolutions)
    names = [variable.value for variable in found.variables]
    return names, [["" if row[name] is None else str(row[name]) for name in names] for row in found]


def test_there_are_questions_and_each_has_its_answer() -> None:
    assert len(list(OWN_FOLDER.glob("*.rq"))) >= 56
    assert 2 == len(list(FOREIGN_FOLDER.glob("*.rq")))
    for folder in (OWN_FOLDER, FOREIGN_FOLDER):
        assert {path.stem for path in folder.glob("*.rq")} == {path.stem for path in folder.glob("*.tsv")}


@pytest.mark.parametrize(("site", "path"), QUESTIONS, ids=NAMES)
def test_a_question_is_answered_by_exactly_its_rows(request: pytest.FixtureRequest, site: str, path: Path) -> None:
    opened: Site = request.getfixturevalue(site)
    names, rows = table(path.with_suffix(".tsv").read_bytes())
    assert rows, "a question without an answer asks nothing"
    assert (names, rows) == table(opened.store.answer(Query(path.read_text(encoding="utf-8"), results=TSV)).read())


@pytest.mark.parametrize(("site", "path"), QUESTIONS, ids=NAMES)
def test_the_order_of_a_questions_rows_is_its_own(site: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    _, rows = table(path.with_suffix(".tsv").read_bytes())
    assert len(rows) == 1 or "ORDER BY" in text
    assert len(rows) == len({tuple(row) for row in rows})


def heads(root: Path) -> dict[str, dict[str, str]]:
    """The lines at the head of each question, by its file's stem."""
    publication = publications.load(root)
    stems = sorted(path.stem for path in (publication.folders["ontology"] / "questions").glob("*.rq"))
    return dict(zip(stems, (dict(question.head) for question in questions.read(publication)), strict=True))


def is_russian(text: str) -> bool:
    return sum("а" <= letter <= "я" for letter in text.lower()) > len(text) / 2


@pytest.mark.parametrize(
    ("key", "russian"), [("title", False), ("question", False), ("title@ru", True), ("question@ru", True)]
)
def test_the_repositorys_questions_have_titles_and_texts_in_english_and_russian(key: str, russian: bool) -> None:
    found = heads(OWN)
    assert len(found) >= 24
    assert [] == [stem for stem, head in found.items() if not head.get(key) or is_russian(head[key]) != russian]


def own_questions() -> dict[str, Question]:
    return {question.slug: question for question in questions.read(publications.load(OWN))}


def columns(text: str) -> list[str]:
    found = Store().query(text)
    assert isinstance(found, QuerySolutions)
    return [variable.value for variable in found.variables]


def test_no_row_of_a_question_vanishes_in_another_language(own_opened: Site) -> None:
    languages = own_opened.publication.languages
    speaking = [question for question in own_opened.questions if question.speaks(languages)]
    assert len(speaking) >= 49
    assert len(languages) >= 2
    for question in speaking:
        counted = {
            language: len(table(own_opened.store.answer(Query(text, results=TSV)).read())[1])
            for language, text in ((language, question.spoken(language, languages)) for language in languages)
        }
        assert 1 == len(set(counted.values())), (question.slug, counted)


def test_a_question_of_texts_leaves_their_language_open() -> None:
    found = own_questions()
    assert [] == [slug for slug, question in found.items() if re.search(r'= "(en|ru)"', question.text)]
    speaking = {slug for slug, question in found.items() if re.search(r"\blang\(", question.text)}
    assert speaking == {slug for slug, question in found.items() if question.speaks(("en", "ru"))}


def test_columns_and_fields_of_the_repositorys_questions_are_headed_in_english_and_russian() -> None:
    found = own_questions()
    assert len(found) >= 54
    for slug, question in found.items():
        shown = [*question.parameters({}), *columns(question.text)]
        headed = {name: question.heading(name) for name in shown if name != LANGUAGE}
        assert [] == [name for name, said in headed.items() if not is_russian(said.get("ru", ""))], slug
        assert [] == [name for name, said in headed.items() if is_russian(said["en"])], slug
        said = {key.removeprefix("?").partition("@")[0] for key in question.head if key.startswith("?")}
        assert said == set(headed), slug


def test_a_heading_is_the_variables_name_in_words_where_the_head_has_none() -> None:
    question = Question("x", {"?otherName@ru": "другой", "?item": "meeting"}, "")
    assert {"en": "other name", "ru": "другой"} == question.heading("otherName")
    assert {"en": "meeting"} == question.heading("item")
    assert {"en": "one two"} == question.heading("one_two")


# --- dates of any precision ------------------------------------------------------------------------------------------

DATED = """
@prefix tt: <https://w3id.org/tracktwo/ontology#> . @prefix schema: <https://schema.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix id: <https://w3id.org/tracktwo/id/meeting/> . @prefix dialogue: <https://w3id.org/tracktwo/id/dialogue/> .
id:day a tt:Meeting ; rdfs:label "day"@en ; tt:isSessionOf dialogue:a ; schema:startDate "2020-10-05"^^xsd:date ,
    "2020"^^xsd:gYear ; tt:startsNotBefore "2020-10-05"^^xsd:date , "2020"^^xsd:gYear ;
  tt:startsNotAfter "2020-10-05"^^xsd:date , "2020"^^xsd:gYear .
id:month a tt:Meeting ; rdfs:label "month"@en ; tt:isSessionOf dialogue:a ;
  tt:startsNotBefore "2021-06"^^xsd:gYearMonth ; tt:startsNotAfter "2021-06"^^xsd:gYearMonth .
id:year a tt:Meeting ; rdfs:label "year"@en ; tt:isSessionOf dialogue:b ; tt:startsNotAfter "2021"^^xsd:gYear .
id:ended a tt:Meeting ; rdfs:label "ended"@en ; tt:isSessionOf dialogue:b ; schema:endDate "1961"^^xsd:gYear ;
  tt:startsNotAfter "1961"^^xsd:gYear .
id:undated a tt:Meeting ; rdfs:label "undated"@en ; tt:isSessionOf dialogue:c .
dialogue:a a tt:Dialogue ; rdfs:label "a"@en ; tt:hasSession id:day , id:month .
dialogue:b a tt:Dialogue ; rdfs:label "b"@en ; tt:hasSession id:year , id:ended .
dialogue:c a tt:Dialogue ; rdfs:label "c"@en ; tt:hasSession id:undated .
id:p tt:tookPartIn id:month .
id:exact a tt:Post ; rdfs:label "exact"@en ; tt:engages id:p ; tt:startsNotAfter "2021-05"^^xsd:gYearMonth ;
  tt:endsNotBefore "2021-07"^^xsd:gYearMonth .
id:begun a tt:Post ; rdfs:label "begun"@en ; tt:engages id:p ; tt:startsNotBefore "2021"^^xsd:gYear ;
  tt:startsNotAfter "2021"^^xsd:gYear .
id:attested a tt:Post ; rdfs:label "attested"@en ; tt:engages id:p ; tt:startsNotAfter "2022-01-02"^^xsd:date ;
  tt:endsNotBefore "2022-01-02"^^xsd:date .
id:left a tt:Post ; rdfs:label "left"@en ; tt:engages id:p ; tt:endsNotAfter "2021-05"^^xsd:gYearMonth .
id:later a tt:Post ; rdfs:label "later"@en ; tt:engages id:p ; tt:startsNotBefore "2021-07-01"^^xsd:date .
id:timeless a tt:Post ; rdfs:label "timeless"@en ; tt:engages id:p .
"""


@pytest.fixture(scope="module")
def dated() -> Store:
    store = Store()
    store.load(DATED.encode(), format=RdfFormat.TURTLE)
    return store


def asked(store: Store, slug: str, **values: str) -> list[tuple[str, ...]]:
    """The rows of a question with other defaults, as texts, IRIs by their last part."""
    text = own_questions()[slug].text
    for name, term in values.items():
        text, changed = re.subn(rf"(VALUES \?{name} {{ ).*( }})", rf"\g<1>{term}\2", text)
        assert changed
    found = store.query(text)
    assert isinstance(found, QuerySolutions)
    return [tuple("" if term is None else term.value.rpartition("/")[2] for term in row) for row in found]


@pytest.mark.parametrize(
    ("start", "end", "met"),
    [
        ("2020-01-01", "2021-12-31", {"day", "month", "year"}),
        ("2021-06-30", "2021-07-31", {"month", "year"}),
        ("2021-07-01", "2021-07-31", {"year"}),
        ("2020-01-01", "2020-10-04", {"year"}),
        ("2022-01-01", "2023-12-31", set()),
        ("1961-12-31", "1962-01-01", {"year", "ended"}),
    ],
)
def test_meetings_are_found_by_bounds_of_any_precision(dated: Store, start: str, end: str, met: set[str]) -> None:
    terms = {"from": f'"{start}"^^xsd:date', "to": f'"{end}"^^xsd:date'}
    rows = asked(dated, "meetings-in-2020-2021", **terms)
    assert met | {"undated"} == {name for _, name, *_ in rows}
    assert len(rows) == len(met) + 1


def test_of_several_dates_and_bounds_the_closest_stand(dated: Store) -> None:
    rows = asked(dated, "meetings-in-order", dialogue="dialogue:a")
    bounds = [row[1:5] for row in rows]
    assert [("day", *["2020-10-05"] * 3), ("month", "", "2021-06", "2021-06")] == bounds


def test_dialogues_last_from_their_first_date_to_their_last(dated: Store) -> None:
    found = {name: (first, last) for name, *_, first, last in asked(dated, "dialogues-compared")}
    assert {"a": ("2020", "2021"), "b": ("1961", "2021"), "c": ("", "")} == found


def test_a_post_may_have_been_held_where_its_dates_allow_it(dated: Store) -> None:
    assert [("exact", "true"), ("attested", "false"), ("begun", "false")] == asked(
        dated, "posts-at-the-time", meeting="meeting:month"
    )


def test_lanes_stand_by_their_first_date_and_those_without_last(dated: Store) -> None:
    rows = asked(dated, "meetings-by-dialogue")
    assert ["b", "a", "c"] == list(dict.fromkeys(row[3] for row in rows))
    assert ("ended", "", "1961", "b") == rows[0]
    assert ("day", "2020-10-05", "", "a") in rows


@pytest.mark.parametrize(("site", "path"), QUESTIONS, ids=NAMES)
def test_every_question_has_a_title_and_a_text(site: str, path: Path) -> None:
    head = heads(OWN if site == "own_opened" else FOREIGN)[path.stem]
    assert head["title"]
    assert head["question"].endswith("?")


def test_titles_texts_and_slugs_are_unique(each: Built) -> None:
    found = questions.read(each.publication)
    assert len(found) >= 2
    for values in (
        [question.slug for question in found],
        [question.head["title"] for question in found],
        [question.head["question"] for question in found],
    ):
        assert len(values) == len(set(values))


def test_the_release_holds_the_questions_as_they_were(each: Built, request: pytest.FixtureRequest) -> None:
    opened: Site = request.getfixturevalue("own_opened" if each.publication.root == OWN else "foreign_opened")
    assert questions.read(each.publication) == list(opened.questions)
    texts = [
        path.read_text(encoding="utf-8")
        for path in sorted((each.publication.folders["ontology"] / "questions").glob("*.rq"))
    ]
    assert texts == [question.text for question in opened.questions]

"""Every question of a publication is answered on its release by exactly the rows beside it, in their order."""

from pathlib import Path

import pytest
from conftest import FOREIGN, OWN, Built
from pyoxigraph import QueryResultsFormat, QuerySolutions, parse_query_results

from tracktwo import publication as publications
from tracktwo.formats import TSV
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

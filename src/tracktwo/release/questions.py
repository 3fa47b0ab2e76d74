"""A publication's questions: `.rq` files in `questions/` of the ontology folder, what is said of them as comments."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict

from tracktwo.errors import InputError
from tracktwo.pictures import KINDS
from tracktwo.publication import Publication
from tracktwo.question import Question

_HEAD = re.compile(r"^#\s*(\?\w+|[\w-]+)(@[\w-]+)?:\s*(.*)$")


def read(publication: Publication) -> list[Question]:
    """All questions, in order of their file names; InputError where one names a picture that there is not."""
    folder = publication.folders["ontology"] / "questions"
    return [_question(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.rq"))]


def as_json(questions: Sequence[Question]) -> str:
    """The questions as they are stored in a release."""
    return json.dumps([asdict(question) for question in questions], ensure_ascii=False, indent=1)


def _question(stem: str, text: str) -> Question:
    head = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if found := _HEAD.match(line):
            key = found[1] if found[1].startswith("?") else found[1].lower()  # variables differ by case
            head[key + (found[2] or "").lower()] = found[3].strip()
    question = Question(re.sub(r"^\d+-", "", stem), head, text)
    if question.picture and question.picture not in KINDS:
        raise InputError(
            f"The question {stem}.rq names a picture that there is not: “{question.picture}”.",
            hint="There are " + ", ".join(KINDS) + ".",
        )
    return question

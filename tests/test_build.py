"""A build makes a whole release or changes nothing; the same input gives the same bytes and no second release."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DATA, EX, FOREIGN, PREFIXES, Built, all_files, built, silent, without, write_publication

from tracktwo import publication as publications
from tracktwo.errors import InputError, NotConforming, ReleaseError, TracktwoError
from tracktwo.publication import Publication
from tracktwo.release.build import Outcome, build, check, is_fresh
from tracktwo.release.history import Releases

NEW = DATA + 'ex:two a ex:Thing ; rdfs:label "Two"@en ; ex:has [ ex:says "x" ], [ ex:says "y" ] .\n'
LOCK = [".lock"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A releases folder with one release."""
    build(write_publication(tmp_path / "publication"), Releases(tmp_path / "releases"), silent)
    return tmp_path / "releases"


def changed(root: Path, files: dict[str, str] | None = None, settings: str = "") -> Publication:
    """The publication with other data."""
    return write_publication(
        root / "publication", files if files is not None else {"data/data.ttl": NEW}, settings=settings
    )


def releases_in(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.glob("*/manifest.json"))


def current(folder: Path) -> str:
    name = Releases(folder).current_name()
    assert name is not None
    return name


# --- what a build makes ----------------------------------------------------------------------------------------------


def test_a_build_says_what_it_does(tmp_path: Path) -> None:
    said: list[str] = []
    outcome = build(write_publication(tmp_path / "p"), Releases(tmp_path / "r"), said.append)
    assert "new" == outcome.change
    assert ["Reading", "Inferring", "Validating", "Writing", "Writing", "Writing", "Publishing"] == [
        sentence.split()[0].rstrip(",") for sentence in said
    ]


def test_an_id_is_the_date_and_the_head_of_the_hash(each: Built) -> None:
    release = each.release
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-[0-9a-f]{12}", release.id)
    assert f"{release.created:%Y-%m-%d}-{release.manifest['sha256'][:12]}" == release.id
    assert re.fullmatch(r"[0-9a-f]{64}", release.manifest["sha256"])


def test_the_manifest_counts_what_was_read(foreign: Built) -> None:
    manifest = foreign.release.manifest
    assert 16 == len(manifest["statistics"]["graphs"])
    assert 12 == len(manifest["files"])
    assert {"ontology", "data", "shapes"} == {file["role"] for file in manifest["files"]}
    assert (
        sum(manifest["statistics"]["graphs"].values()) == manifest["statistics"]["triples"] + 1
    )  # one triple stands in two graphs
    assert [] == [file["path"] for file in manifest["files"] if not (FOREIGN / file["path"]).is_file()]


def test_warnings_are_handed_on(tmp_path: Path) -> None:
    outcome = build(publications.load(FOREIGN), Releases(tmp_path), silent)
    assert 4 == len(outcome.warnings)
    assert "validation: 0 violations, 3 warnings, 0 infos from 4 shapes" == outcome.warnings[-1]


def test_a_check_makes_no_release(tmp_path: Path) -> None:
    checked = check(write_publication(tmp_path), silent)
    assert checked.report.conforms
    assert len(checked.quads) == len(checked.given.quads) + len(checked.inferred)
    assert not (tmp_path / ".tracktwo").exists()


# --- the same input --------------------------------------------------------------------------------------------------


def test_the_same_input_gives_no_second_release(tmp_path: Path, folder: Path) -> None:
    before = all_files(folder)
    outcome = build(write_publication(tmp_path / "publication"), Releases(folder), silent)
    assert "unchanged" == outcome.change
    assert before == all_files(folder)
    assert is_fresh(publications.load(tmp_path / "publication"), outcome.release)


def test_the_same_input_elsewhere_gives_the_same_bytes(foreign: Built, tmp_path: Path) -> None:
    again = built(FOREIGN, tmp_path)
    assert foreign.release.id.rpartition("-")[2] == again.release.id.rpartition("-")[2]
    assert all_files(foreign.release.dumps) == all_files(again.release.dumps)
    assert len(all_files(again.release.dumps)) == 10
    for name in ("layout.json", "questions.json", "publication.toml", "catalog.sqlite"):
        assert (foreign.release.folder / name).read_bytes() == (again.release.folder / name).read_bytes(), name
    ours, theirs = dict(foreign.release.manifest), dict(again.release.manifest)
    when = dict.fromkeys(("id", "created", "built", "build"), "")
    assert {**ours, **when} == {**theirs, **when}


def test_other_labels_and_another_order_are_the_same_data(tmp_path: Path) -> None:
    one = PREFIXES + "ex:one a ex:Thing ; rdfs:label 'One' ; ex:has _:a, _:b . _:a ex:says 'x' . _:b ex:says 'y' .\n"
    other = PREFIXES + "_:q ex:says 'x' . _:p ex:says 'y' . ex:one ex:has _:p, _:q ; rdfs:label 'One' ; a ex:Thing .\n"
    first, second = (
        build(
            write_publication(tmp_path / name, {"data/data.ttl": text}), Releases(tmp_path / name / "r"), silent
        ).release
        for name, text in (("1", one), ("2", other))
    )
    assert first.manifest["sha256"] == second.manifest["sha256"]
    assert all_files(first.dumps) == all_files(second.dumps)


def test_the_same_data_laid_out_anew_keeps_its_id(tmp_path: Path, folder: Path) -> None:
    first = current(folder)
    outcome = build(changed(tmp_path, {"data/data.ttl": "# a comment\n" + DATA}), Releases(folder), silent)
    assert "same data" == outcome.change
    assert (first, first + ".2") == (outcome.release.id, current(folder))
    assert [first, first + ".2"] == releases_in(folder)


def test_other_settings_make_the_release_anew_under_its_id(tmp_path: Path, folder: Path) -> None:
    first = current(folder)
    outcome = build(changed(tmp_path, {}, 'languages = ["de", "en"]'), Releases(folder), silent)
    assert (first, "same data") == (outcome.release.id, outcome.change)
    assert "de" in outcome.release.read("publication.toml")
    assert "de" not in (folder / first / "publication.toml").read_text(encoding="utf-8")


def test_each_build_has_an_identity_and_a_time_of_its_own(tmp_path: Path, folder: Path) -> None:
    first = Releases(folder).current()
    others = [
        build(changed(tmp_path, {}, f"languages = {tags}"), Releases(folder), silent) for tags in ('["de"]', '["ru"]')
    ]
    assert first is not None
    releases = [first, *(outcome.release for outcome in others)]
    assert 3 == len({release.build for release in releases}) == len({release.folder for release in releases})
    assert 1 == len({release.id for release in releases}) == len({release.created for release in releases})
    assert first.created <= first.built <= releases[1].built <= releases[2].built


def test_other_data_makes_another_release_and_leaves_the_first(tmp_path: Path, folder: Path) -> None:
    first = current(folder)
    before = all_files(folder / first)
    outcome = build(changed(tmp_path), Releases(folder), silent)
    assert "new" == outcome.change
    assert outcome.release.id == current(folder) != first
    assert before == all_files(folder / first)
    assert [first, outcome.release.id] == sorted(releases_in(folder), key=lambda name: name != first)


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder, name: (folder / "current").write_text("gone\n", encoding="ascii"),
        lambda folder, name: (folder / name / "manifest.json").write_text("{", encoding="ascii"),
        lambda folder, name: (folder / name / "manifest.json").write_text("{}", encoding="ascii"),
        lambda folder, name: (folder / name / "manifest.json").unlink(),
    ],
    ids=["pointer to nothing", "manifest cut", "manifest empty", "no manifest"],
)
def test_a_build_makes_good_what_is_broken(tmp_path: Path, folder: Path, harm: Callable[[Path, str], object]) -> None:
    harm(folder, current(folder))
    outcome = build(publications.load(tmp_path / "publication"), Releases(folder), silent)
    assert outcome.release == Releases(folder).current()
    assert EX in outcome.release.read("publication.toml")


# --- failures --------------------------------------------------------------------------------------------------------


def failing(tmp_path: Path, folder: Path, files: dict[str, str], settings: str = "") -> TracktwoError:
    """The error of a build that must fail, once seen to have changed nothing."""
    before = without(all_files(folder), LOCK)
    with pytest.raises(TracktwoError) as caught:
        build(changed(tmp_path, files, settings), Releases(folder), silent)
    assert before == without(all_files(folder), LOCK)
    assert 3 == len(list(folder.iterdir()))
    return caught.value


def test_a_broken_file_changes_nothing(tmp_path: Path, folder: Path) -> None:
    error = failing(tmp_path, folder, {"data/data.ttl": DATA + "ex:two ex:says"})
    assert isinstance(error, InputError)
    assert "data.ttl:9:" in error.message


def test_a_violation_changes_nothing_and_all_are_told(tmp_path: Path, folder: Path) -> None:
    error = failing(tmp_path, folder, {"data/data.ttl": DATA + "ex:two a ex:Thing .\nex:three a ex:Thing .\n"})
    assert isinstance(error, NotConforming)
    assert f"{EX}two" in error.message
    assert f"{EX}three" in error.message
    assert error.message.endswith("No release: 2 violations, 0 warnings, 0 infos from 1 shapes")


def test_shapes_without_a_target_change_nothing(tmp_path: Path, folder: Path) -> None:
    assert isinstance(
        failing(tmp_path, folder, {"shapes/shapes.ttl": PREFIXES + "ex:Shape a sh:NodeShape ."}), InputError
    )


def test_a_build_while_another_is_at_work_is_refused_and_changes_nothing(tmp_path: Path, folder: Path) -> None:
    with Releases(folder).building():
        before = without(all_files(folder), LOCK)
        with pytest.raises(ReleaseError, match="another build is at work"):
            build(changed(tmp_path), Releases(folder), silent)
        assert before == without(all_files(folder), LOCK)


def test_a_failure_that_is_not_the_folders_is_not_laid_to_it(tmp_path: Path, folder: Path) -> None:
    error = failing(tmp_path, folder, {"data/data.ttl": DATA + "ex:two ex:says <<( ex:a ex:b ex:c )>> ."})
    assert "can be written" not in error.message


# --- other processes: killed, without room ---------------------------------------------------------------------------

CHILD = """\
import os, resource, signal, sys
from pathlib import Path
from tracktwo import publication
from tracktwo.errors import TracktwoError
from tracktwo.release.build import NEW, SAME_DATA, UNCHANGED, build
from tracktwo.release.history import Releases

root, folder, moment = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]

def end():
    os.kill(os.getpid(), signal.SIGKILL)

def at(call, before):
    def wrapped(*args, **kwargs):
        before and end()
        result = call(*args, **kwargs)
        end()
        return result
    return wrapped

def fill():
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

when, _, what = moment.partition(" ")
if when in ("before", "after"):
    setattr(os, what, at(getattr(os, what), when == "before"))

def progress(sentence):
    if sentence.startswith(what):
        {"kill": end, "fill": fill}[when]()

told = progress if when in ("kill", "fill") else lambda _: None
try:
    print(build(publication.load(root), Releases(folder), told).release.id)
except TracktwoError as error:
    print(f"{type(error).__name__}: {error.message}")
"""


def child(tmp_path: Path, folder: Path, moment: str) -> subprocess.CompletedProcess[str]:
    """A build in a process of its own that at a moment is killed, or finds that files can grow no more."""
    command = [sys.executable, "-c", CHILD, str(tmp_path / "publication"), str(folder), moment]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


STEPS = ["Inferring", "Writing the store", "Writing the catalogue", "Writing the dumps", "Publishing"]
MOMENTS = [
    "kill Reading",
    "kill Validating",
    *(f"kill {step}" for step in STEPS),
    "before fsync",
    "before rename",
    "after rename",
    "before replace",
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_build_changes_nothing_and_the_next_cleans_up(tmp_path: Path, folder: Path, moment: str) -> None:
    first = current(folder)
    before = all_files(folder / first)
    publication = changed(tmp_path)
    ended = child(tmp_path, folder, moment)
    assert -9 == ended.returncode, ended.stderr
    assert first == current(folder)
    assert before == all_files(folder / first)
    outcome = build(publication, Releases(folder), silent)
    assert "new" == outcome.change
    assert {first, outcome.release.id, "current", ".lock"} == {path.name for path in folder.iterdir()}
    assert before == all_files(folder / first)


def test_a_build_killed_after_the_swap_has_made_its_release(tmp_path: Path, folder: Path) -> None:
    first = current(folder)
    publication = changed(tmp_path)
    assert -9 == child(tmp_path, folder, "after replace").returncode
    assert first != current(folder)
    outcome: Outcome = build(publication, Releases(folder), silent)
    assert "unchanged" == outcome.change
    assert 4 == len(list(folder.iterdir()))


@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk_changes_nothing_and_is_told(tmp_path: Path, folder: Path, step: str) -> None:
    before = without(all_files(folder), LOCK)
    changed(tmp_path)
    ended = child(tmp_path, folder, f"fill {step}")
    assert (0, "") == (ended.returncode, ended.stderr)
    assert ended.stdout.startswith("ReleaseError: no release can be written to ")
    assert before == {
        name: content for name, content in all_files(folder).items() if name not in (*LOCK, "current.new")
    }
    assert {current(folder), "current", ".lock"} == {path.name for path in folder.iterdir()} - {"current.new"}


def test_the_child_of_these_tests_builds_if_it_is_let(tmp_path: Path, folder: Path) -> None:
    changed(tmp_path)
    ended = child(tmp_path, folder, "never")
    assert (0, current(folder)) == (ended.returncode, ended.stdout.strip())
    assert 4 == len(list(folder.iterdir()))
    assert json.loads((folder / current(folder) / "manifest.json").read_text(encoding="utf-8"))["id"] == current(folder)

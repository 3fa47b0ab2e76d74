"""`publication.toml`: what is right is read; what is wrong is told in one line that names the file and the key."""

from pathlib import Path

import pytest
from conftest import EX, FOREIGN, OWN

from tracktwo.errors import SettingError
from tracktwo.namespaces import PREFIXES
from tracktwo.publication import FILE_NAME, SETTINGS, find, load

LEAST = f'base_iri = "{EX}"\ntitle = {{ en = "Example" }}\n'


def write(folder: Path, text: str) -> Path:
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    return folder


def error_of(folder: Path, text: str) -> SettingError:
    """The error that a settings file gives, once seen to be one line that names the file, and a hint of one."""
    with pytest.raises(SettingError) as caught:
        load(write(folder, text))
    error = caught.value
    assert "\n" not in error.message
    assert "\n" not in error.hint
    assert error.message.startswith(str(folder / FILE_NAME))
    return error


def told(folder: Path, text: str) -> str:
    """What is said after the file's name."""
    return error_of(folder, text).message.removeprefix(str(folder / FILE_NAME)).removeprefix(": ")


# --- what is right ---------------------------------------------------------------------------------------------------


def test_two_settings_suffice_and_the_rest_have_defaults(tmp_path: Path) -> None:
    found = load(write(tmp_path, LEAST))
    assert EX == found.base_iri
    assert {"en": "Example"} == dict(found.title)
    assert ("en",) == found.languages
    assert {"id/": "doc/"} == dict(found.documents)
    assert {name: tmp_path / name for name in ("ontology", "data", "shapes")} == dict(found.folders)
    assert 20.0 == found.limits.query_seconds
    assert PREFIXES == found.prefixes


def test_the_repositorys_publication_is_read() -> None:
    found = load(OWN)
    assert ("en", "ru") == found.languages
    assert {"en", "ru"} == set(found.title)
    assert found.graph_iri("x") == found.base_iri + "graph/x"
    assert found.prefixes["tt"].startswith(found.base_iri)


def test_a_publication_of_another_layout_is_read() -> None:
    found = load(FOREIGN)
    assert ("el", "en") == found.languages
    assert {"thing/": "about/"} == dict(found.documents)
    assert ["vocabulary", "facts", "rules"] == [found.folders[name].name for name in ("ontology", "data", "shapes")]
    assert "https://data.pharos.example/named/x" == found.graph_iri("x")
    assert "Pharos test data" == found.publisher_name
    limits = (2.0, 512, 1, 1.0, 20.0, 20_000, 4, 10_000_000, 20, 25, 10_000, 20_000, 100, 500)
    assert limits == tuple(vars(found.limits).values())


def test_own_prefixes_win_over_the_well_known() -> None:
    found = load(FOREIGN)
    assert "http://www.wikidata.org/entity/" == found.prefixes["wd"]
    assert PREFIXES["skos"] == found.prefixes["skos"]


def test_a_whole_number_does_where_a_fraction_may_stand(tmp_path: Path) -> None:
    assert 3.0 == load(write(tmp_path, LEAST + "[limits]\nquery_seconds = 3\n")).limits.query_seconds


def test_every_setting_is_one_row_with_a_type_and_a_meaning() -> None:
    assert len(SETTINGS) >= 22
    assert len(SETTINGS) == len({row.name for row in SETTINGS})
    assert [] == [
        row.name for row in SETTINGS if not row.meaning or not isinstance(row.default, (row.kind, type(None)))
    ]
    assert {"base_iri", "title"} == {row.name for row in SETTINGS if row.default is None}


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "unknown", "nearest"),
    [
        (LEAST + 'base_uri = "http://example.org/"', "base_uri", "base_iri"),
        (LEAST + 'license = "http://example.org/"', "license", "licence"),
        (LEAST + "language = ['en']", "language", "languages"),
        (LEAST + "[limits]\nquery_second = 3", "limits.query_second", "limits.query_seconds"),
        (LEAST + "[limit]\nquery_seconds = 3", "limit.query_seconds", "limits.query_seconds"),
        (LEAST + '[folders]\nshape = "s"', "folders.shape", "folders.shapes"),
        (LEAST + '[paths]\ndocument = { "id/" = "doc/" }', "paths.document", "paths.documents"),
    ],
)
def test_an_unknown_setting_is_told_with_the_nearest_known(
    tmp_path: Path, text: str, unknown: str, nearest: str
) -> None:
    error = error_of(tmp_path, text)
    assert f"{tmp_path / FILE_NAME}: unknown setting “{unknown}”" == error.message
    assert f"Did you mean “{nearest}”?" == error.hint


def test_an_unknown_setting_near_to_none_is_told_with_all_known(tmp_path: Path) -> None:
    error = error_of(tmp_path, LEAST + "zzzzqqqq = 1")
    assert [] == [row.name for row in SETTINGS if row.name not in error.hint]


@pytest.mark.parametrize("name", ["base_iri", "title"])
def test_a_missing_setting_is_told(tmp_path: Path, name: str) -> None:
    text = "\n".join(line for line in LEAST.splitlines() if not line.startswith(name))
    error = error_of(tmp_path, text)
    assert f"the setting “{name}” is missing" in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("languages = 'en'", "languages"),
        ("languages = [1]", "languages"),
        ("description = 'x'", "description"),
        ("description = { en = 1 }", "description"),
        ("licence = 1", "licence"),
        ("prefixes = 'x'", "prefixes"),
        ("prefixes = { ex = 1 }", "prefixes"),
        ("[publisher]\nname = ['x']", "publisher.name"),
        ("[folders]\ndata = 1", "folders.data"),
        ("[paths]\ndocuments = 'doc/'", "paths.documents"),
        ("[paths]\ndocuments = { 'id/' = 1 }", "paths.documents"),
        ("[paths]\ngraphs = {}", "paths.graphs"),
        ("[limits]\nquery_seconds = 'long'", "limits.query_seconds"),
        ("[limits]\nquery_seconds = true", "limits.query_seconds"),
        ("[limits]\nquery_workers = 2.5", "limits.query_workers"),
        ("[limits]\nquery_workers = true", "limits.query_workers"),
        ("[limits]\npage_size = '50'", "limits.page_size"),
    ],
)
def test_a_setting_of_the_wrong_type_is_told(tmp_path: Path, setting: str, name: str) -> None:
    assert f"“{name}”" in told(tmp_path, LEAST + setting)


@pytest.mark.parametrize("value", ["0", "-1", "0.0", "-1.5", "nan", "inf", "-inf"])
def test_a_limit_is_a_number_above_zero(tmp_path: Path, value: str) -> None:
    assert "“limits.query_seconds”" in told(tmp_path, LEAST + f"[limits]\nquery_seconds = {value}")


@pytest.mark.parametrize(
    "base_iri",
    [
        "",
        "example",
        "/data/",
        "urn:example:",
        "ftp://example.org/",
        "example.org/",
        "http://example.org",
        "http://example.org/data",
        "http://example.org/#",
        "http://",
        "https:///",
        "http://exa mple.org/",
        "http://example.org/<x>/",
        "http://example.org/%zz/",
    ],
)
def test_a_base_iri_that_is_no_http_iri_ending_in_a_slash_is_told(tmp_path: Path, base_iri: str) -> None:
    assert "“base_iri”" in told(tmp_path, f'base_iri = "{base_iri}"\ntitle = {{ en = "x" }}')


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("licence = 'CC0 1.0'", "licence"),
        ("[publisher]\niri = 'us'", "publisher.iri"),
        ("[prefixes]\nex = 'not an IRI'", "prefixes"),
    ],
)
def test_a_setting_that_should_hold_an_iri_and_does_not_is_told(tmp_path: Path, setting: str, name: str) -> None:
    assert f"“{name}" in told(tmp_path, LEAST + setting)


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    assert "line 3" in told(tmp_path, LEAST + "licence = x")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        load(tmp_path)
    assert str(tmp_path / FILE_NAME) in caught.value.message


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b'base_iri = "http://example.org/\xff"')
    with pytest.raises(SettingError) as caught:
        load(tmp_path)
    assert "\n" not in caught.value.message


# --- which publication -----------------------------------------------------------------------------------------------


def test_the_folder_named_is_taken(tmp_path: Path) -> None:
    assert write(tmp_path, LEAST) == find(tmp_path, Path("/"))


def test_a_folder_named_that_holds_no_publication_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=FILE_NAME):
        find(tmp_path, tmp_path)


def test_the_nearest_folder_upwards_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b" / "c"
    inner.mkdir(parents=True)
    write(tmp_path, LEAST)
    assert tmp_path == find(None, inner)
    write(tmp_path / "a", LEAST)
    assert tmp_path / "a" == find(None, inner)

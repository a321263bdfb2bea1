"""Tables beside pictures: labels and columns; and what is said of a table with a mistake."""

from __future__ import annotations

import hashlib
import json

import pytest
from PIL import Image

from dltf.plugin import SeedSourceError
from dltf_image.seeds.folder import Folder


@pytest.fixture
def folder(tmp_path):
    """A folder with three pictures in two classes."""
    for position, name in enumerate(("cat/a.png", "cat/b.png", "dog/c.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("L", (3, 2), position).save(tmp_path / name)
    return tmp_path


def write(folder, *lines, name="manifest.csv"):
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


def listed(seeds):
    return {seed.name: (seed.label, dict(seed.columns)) for seed in (seeds[index] for index in range(len(seeds)))}


def refusal(folder, **settings):
    with pytest.raises(SeedSourceError) as caught:
        Folder(folder, **settings).open()
    return str(caught.value)


def test_columns_come_from_the_manifest_of_the_folder_and_labels_from_its_folders(folder):
    table = write(folder, "camera,file,lux", "front,cat/a.png,12.5", '"rear, left",dog/c.png,3')
    seeds = Folder(folder).open()
    assert listed(seeds) == {
        "cat/a.png": (0, {"camera": "front", "lux": 12.5}),
        "cat/b.png": (0, {}),
        "dog/c.png": (1, {"camera": "rear, left", "lux": 3}),
    }
    assert seeds.source["labels"] == "folders"
    assert json.loads(json.dumps(seeds.source["manifest"])) == {
        "path": str(table),
        "sha256": hashlib.sha256(table.read_bytes()).hexdigest(),
        "rows": 2,
        "columns": ["camera", "lux"],
    }


def test_json_lines_keep_their_kinds_and_null_is_nothing(folder):
    lines = [
        {"file": "cat/a.png", "site": "7", "night": True, "lux": 3, "note": None},
        {"file": "./cat/b.png", "site": "ü", "night": False, "lux": 0.5},
    ]
    write(folder, *map(json.dumps, lines), "", name="manifest.jsonl")
    seeds = listed(Folder(folder).open())
    assert seeds["cat/a.png"][1] == {"site": "7", "night": True, "lux": 3}
    assert seeds["cat/b.png"][1] == {"site": "ü", "night": False, "lux": 0.5}


def test_a_manifest_elsewhere_is_named_and_comes_before_that_of_the_folder(folder):
    write(folder, "file,camera", "cat/a.png,front")
    (folder / "tables").mkdir()
    other = write(folder / "tables", "file,camera", "cat/a.png,rear", name="night.csv")
    assert listed(Folder(folder, manifest=other).open())["cat/a.png"][1] == {"camera": "rear"}
    assert "there is no" not in refusal(folder, manifest=folder / "none.csv")
    assert f"{folder / 'none.csv'} cannot be read: No such file" in refusal(folder, manifest=folder / "none.csv")


def test_labels_of_the_manifest_are_integers_or_sorted_text(folder):
    write(folder, "file,label", "cat/a.png,12", "cat/b.png,-1")
    seeds = Folder(folder).open()
    assert [label for label, _ in listed(seeds).values()] == [12, -1, None]
    assert (seeds.source["labels"], seeds.source["classes"]) == ("manifest", {})
    write(folder, "file,label", "cat/a.png,tabby", "cat/b.png,manx", "dog/c.png,3")
    seeds = Folder(folder).open()
    assert [label for label, _ in listed(seeds).values()] == [2, 1, 0]
    assert seeds.source["classes"] == {"3": 0, "manx": 1, "tabby": 2}
    assert [label for label, _ in listed(Folder(folder, labels="none").open()).values()] == [None] * 3


def test_a_column_is_numbers_where_all_of_it_is(folder):
    header = "file,whole,real,mixed,zeros,empty,long,odd"
    write(folder, header, "cat/a.png,1,1e-3,1,007,,12345678901234567890,nan", "cat/b.png,-20,0.5,1a,1,,1,inf")
    columns = listed(Folder(folder).open())["cat/a.png"][1]
    assert columns == {
        "whole": 1,
        "real": 0.001,
        "mixed": "1",
        "zeros": "007",
        "long": "12345678901234567890",
        "odd": "nan",
    }
    assert type(columns["whole"]) is int


def test_a_table_from_a_spreadsheet_is_read(folder):
    (folder / "manifest.csv").write_bytes('file, "note"\r\n\r\ncat/a.png, "two\r\nlines ""x"""\r\n'.encode("utf-8-sig"))
    assert listed(Folder(folder).open())["cat/a.png"][1] == {"note": 'two\r\nlines "x"'}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["path,camera", "cat/a.png,front"], 'has no column "file"'),
        (["files,camera", "cat/a.png,front"], 'has no column "file"; did you mean "files"?'),
        (["file;camera", "cat/a.png;front"], "commas separate columns"),
        (["file,camera", "cat/a.png,front", "cat/b.png"], "line 3: 1 values, and the header names 2 columns"),
        (["file,camera", "", "cat/a.png,rear, left"], "line 3: 3 values, and the header names 2 columns"),
        (["file,lux,lux", "cat/a.png,1,2"], "line 1: the header is file, lux, lux; each column has a name of its own"),
        (["file,", "cat/a.png,1"], "line 1: the header is file, ;"),
        (["file", "cat/a.png", "cat/b.png", "./cat/a.png"], "line 4: cat/a.png is named a second time"),
        (["file,camera", ",front", "cat/a.png,front"], 'line 2: no "file" is given'),
        (["file,camera", 'cat/a.png,"front', "cat/b.png,rear"], "line 2: unexpected end of data"),
        (["file,label", "cat/a.png,0.5"], 'line 2: "label" is 0.5'),
        (["file"], "has no rows"),
        ([], "has no rows"),
    ],
)
def test_a_mistake_in_a_csv_table_is_told_with_its_line(folder, lines, told):
    write(folder, *lines)
    message = refusal(folder)
    assert told in message
    assert "manifest.csv" in message


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"file": "cat/b.png"', "line 2: this is no JSON: "),
        ('["cat/b.png"]', "line 2: this is no JSON object"),
        ('{"camera": "front"}', 'line 2: no "file" is given'),
        ('{"file": 7}', 'line 2: "file" is 7'),
        ('{"file": "cat/b.png", "box": [1, 2]}', 'line 2: "box" is [1, 2]'),
        ('{"file": "cat/b.png", "lux": NaN}', 'line 2: "lux" is NaN'),
        ('{"file": "cat/b.png", "lux": 1e999}', 'line 2: "lux" is Infinity'),
        ('{"file": "cat/b.png", "label": "manx"}', "line 2: \"label\" is 'manx'"),
        ('{"file": "cat/b.png", "label": true}', 'line 2: "label" is True'),
        ('{"file": "cat/b.png", "note": "\\ud800"}', "line 2: this is no JSON: half of a surrogate pair"),
        ("[" * 100_000, "line 2: this is no JSON: "),
        ("1" * 5_000, "line 2: this is no JSON: "),
    ],
    ids=range(12),
)
def test_a_mistake_in_json_lines_is_told_with_its_line(folder, line, told):
    write(folder, '{"file": "cat/a.png", "label": 3}', line, name="manifest.jsonl")
    assert told in refusal(folder)


def test_files_that_are_not_there_are_named(folder):
    (folder / "notes.txt").write_text("nothing")
    strange = ["notes.txt", "gone.png", "/cat/a.png", "../x.png", "cat\\a.png"]
    write(folder, "file", "cat/a.png", *strange)
    message = refusal(folder)
    assert "notes.txt (line 3), gone.png (line 4), /cat/a.png (line 5) and 2 more" in message
    assert "by its path under the folder" in message


def test_bytes_that_are_no_utf_8_are_told_with_their_line(folder):
    (folder / "manifest.csv").write_bytes("file,site\ncat/a.png,x\ncat/b.png,Köln\n".encode("latin-1"))
    assert "manifest.csv, line 3: the byte 0xf6 is no UTF-8" in refusal(folder)


def test_two_manifests_are_one_too_many(folder):
    write(folder, "file", "cat/a.png")
    other = write(folder, '{"file": "cat/a.png", "lux": 1}', name="manifest.jsonl")
    assert "there are two manifests" in refusal(folder)
    assert listed(Folder(folder, manifest=other).open())["cat/a.png"][1] == {"lux": 1}


def test_a_table_of_another_kind_is_refused(folder):
    with pytest.raises(ValueError, match=r"'manifest' must be a file \.csv or \.jsonl: .*table\.xlsx"):
        Folder(folder, manifest=folder / "table.xlsx")

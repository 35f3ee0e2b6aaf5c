"""Decisions come back into a catalogue: nothing is lost or made up, and the one that was given stays as it is."""

import hashlib
import io
import json
import shutil
import zipfile

import pytest
from click.testing import CliRunner
from PIL import Image

from components.catalogue.reading.rows import read_rows
from components.catalogue.reading.source import open_catalogue
from pipeline.runner import cli
from schema.corrections import (
    CORRECTED,
    NEW_LABEL,
    UNKNOWN,
    Correction,
    picture_name,
    read_corrections,
    write_corrections,
)

STYLES = """\
id;gender;masterCategory;subCategory;articleType;baseColour;productDisplayName
1;Women;Footwear;Shoes;Heels;Red;"Red; high"
2;Women;Footwear;Shoes;Flats;Blue;Blue flats
3;Men;Apparel;Topwear;Shirts;White;White shirt

4;Men;Apparel;Topwear;Tshirts;Black;Black; and more
5;Men;Apparel;Bottomwear;Jeans;Blue;Jeans
5;Men;Apparel;Bottomwear;Jeans;Blue;the same id again
"""
PATHS = {
    "Heels": ("Footwear", "Shoes"),
    "Flats": ("Footwear", "Shoes"),
    "Shirts": ("Apparel", "Topwear"),
    "Tshirts": ("Apparel", "Topwear"),
}


def drawn(number: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (60, 80), (number, 2 * number % 256, 7)).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def catalogue(tmp_path):
    """Five products; picture 2 is there once more, under an id that no row has."""
    folder = tmp_path / "catalogue"
    (folder / "images").mkdir(parents=True)
    (folder / "styles.csv").write_text(STYLES, encoding="utf-8")
    for number in range(1, 6):
        (folder / "images" / f"{number}.png").write_bytes(drawn(number))
    return folder


def of(number, article_type, *, by="anna", with_path=True, **more):
    """A decision about a drawn picture."""
    content = drawn(number)
    sha256 = hashlib.sha256(content).hexdigest()
    master, sub = PATHS.get(article_type, ("Apparel", "Topwear"))
    labels = {"article_type": article_type}
    if with_path:
        labels |= {"master_category": master, "sub_category": sub}
    more = {"sha256": sha256, "picture": picture_name(sha256, "png"), "by": by, "labels": labels} | more
    return Correction(**more), content if more["picture"] else None


def merge(tmp_path, data, decisions, *options, out="new"):
    """What `lookbook corrections merge` says of these decisions, and the new catalogue."""
    folder = tmp_path / f"corrections-{out}"
    write_corrections(folder, decisions)
    return merge_files(tmp_path, data, [folder], *options, out=out)


def merge_files(tmp_path, data, files, *options, out="new"):
    told = CliRunner().invoke(
        cli,
        [str(one) for one in (
            "corrections", "merge", *files, "--data", data, "--out", tmp_path / out, "--json",
            "--root", tmp_path / "root", *options,
        )],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout), tmp_path / out


def labels(catalogue):
    return {row.id: row.cells["articleType"] for row in read_rows(open_catalogue(catalogue)).taken}


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_labels_change_and_new_pictures_become_rows(tmp_path, catalogue):
    """A picture that a row has changes its label, one that none has is a new row; all else stays to the letter."""
    before = tree(catalogue)
    report, new = merge(
        tmp_path,
        catalogue,
        [of(1, "Flats"), of(9, "Shirts", id="IMG_9"), of(4, "Shirts", id="4", attributes={"baseColour": "Grey"})],
    )
    assert report["outcomes"] == {"changed": 2, "added": 1}
    assert tree(catalogue) == before
    added = f"correction-{hashlib.sha256(drawn(9)).hexdigest()[:16]}"
    assert labels(new) == {**labels(catalogue), "1": "Flats", "4": "Shirts", added: "Shirts"}
    assert (new / "images" / f"{added}.png").read_bytes() == drawn(9)
    lines = (new / "styles.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1] == '1;Women;Footwear;Shoes;Flats;Red;"Red; high"'
    assert lines[5] == "4;Men;Apparel;Topwear;Shirts;Grey;Black; and more"
    assert [line for line in STYLES.splitlines() if line[:2] not in ("1;", "4;")] == [
        line for line in lines[:-1] if line[:2] not in ("1;", "4;")
    ]
    kept = {one.id: one for one in read_corrections(new).taken}
    assert kept.keys() == {"1", "4", added}
    assert (kept["1"].by, kept["1"].path, kept["1"].picture) == ("anna", "Footwear / Shoes / Flats", "")


def test_without_a_folder_nothing_is_written(tmp_path, catalogue):
    """A dry run tells what would happen, and leaves no file."""
    write_corrections(tmp_path / "corrections", [of(1, "Flats")])
    before = tree(tmp_path)
    command = ["corrections", "merge", str(tmp_path / "corrections"), "--data", str(catalogue)]
    told = CliRunner().invoke(cli, [*command, "--root", str(tmp_path / "root")])
    assert told.exit_code == 0
    assert "'Heels' → 'Flats'" in told.output
    assert "nothing is written" in told.output
    assert tree(tmp_path) == before


def test_a_catalogue_is_never_written_over(tmp_path, catalogue):
    """Also not by its own corrected copy."""
    write_corrections(tmp_path / "corrections", [of(1, "Flats")])
    before = tree(catalogue)
    command = ["corrections", "merge", str(tmp_path / "corrections"), "--data", str(catalogue), "--out", str(catalogue)]
    told = CliRunner().invoke(cli, command)
    assert told.exit_code == 1
    assert "is there already; give a new folder" in told.output
    assert tree(catalogue) == before


def test_merging_twice_changes_nothing(tmp_path, catalogue):
    """The same decisions once more, into what they made: the same files, also those that wait for more."""
    decisions = [of(1, "Flats"), of(9, "Shirts"), of(8, "Capes", decision=NEW_LABEL), of(7, "Tshirts", by="ben")]
    _, once = merge(tmp_path, catalogue, decisions)
    report, twice = merge(tmp_path, once, decisions, out="twice")
    assert report["outcomes"] == {"unchanged": 3, "kept_apart": 1}
    assert {name for name, content in tree(once).items() if tree(twice).get(name) != content} == {"merge.csv"}
    assert tree(once).keys() == tree(twice).keys()


def test_what_is_in_doubt_is_told_and_not_merged(tmp_path, catalogue):
    """Disagreement, a path that no product has, an unknown id, another picture, none at all: each with its reason."""
    wrong_path = {"master_category": "Footwear", "sub_category": "Shoes", "article_type": "Shirts"}
    broken = b"no picture"
    sha256 = hashlib.sha256(broken).hexdigest()
    report, new = merge(
        tmp_path,
        catalogue,
        [
            of(1, "Flats"),
            of(1, "Shirts", by="ben"),
            of(2, "Shirts", labels=wrong_path),
            of(99, "Flats", sha256="", picture="", id="99"),
            of(9, "Flats", id="3"),
            of(8, "Flats", picture=""),
            (Correction(sha256, picture_name(sha256, "jpg"), labels={"article_type": "Flats"}), broken),
            of(5, "Flats", decision=UNKNOWN, labels={}),
        ],
    )
    assert report["outcomes"] == {
        "people_disagree": 2,
        "picture_missing": 2,
        "contradicts_taxonomy": 1,
        "unknown_id": 1,
        "other_picture": 1,
        "unknown": 1,
    }
    assert labels(new) == labels(catalogue)
    assert len((new / "merge.csv").read_text(encoding="utf-8").splitlines()) == 9
    assert read_corrections(new).taken == []


def test_a_person_may_think_again(tmp_path, catalogue):
    """The later decision of the same person counts, also one of a merge before; another person's is asked about."""
    early, late = ({"at": f"2026-11-2{day}T10:00:00+00:00"} for day in (1, 2))
    report, new = merge(tmp_path, catalogue, [of(1, "Shirts", **late), of(1, "Flats", **early)])
    assert report["outcomes"] == {"changed": 1, "superseded": 1}
    assert labels(new)["1"] == "Shirts"
    report, same = merge(tmp_path, new, [of(1, "Flats", **early)], out="older-export")
    assert labels(same)["1"] == "Shirts"
    report, _ = merge(tmp_path, new, [of(1, "Flats", by="ben", **late)], out="another-person")
    assert report["outcomes"] == {"people_disagree": 2}


def test_people_without_a_name_are_not_one_person(tmp_path, catalogue):
    """What one of them says does not take the place of what another says; where they agree it is merged once."""
    early, late = ({"at": f"2026-11-2{day}T10:00:00+00:00", "by": ""} for day in (1, 2))
    report, new = merge(tmp_path, catalogue, [of(1, "Shirts", **late), of(1, "Flats", **early), of(3, "Flats", **late)])
    assert report["outcomes"] == {"people_disagree": 2, "changed": 1}
    assert (labels(new)["1"], labels(new)["3"]) == ("Heels", "Flats")
    report, _ = merge(tmp_path, catalogue, [of(1, "Flats", **late), of(1, "Flats", **early)], out="agreed")
    assert report["outcomes"] == {"changed": 2}
    report, again = merge(tmp_path, new, [of(3, "Flats", **late)], out="again")
    assert report["outcomes"] == {"unchanged": 1} and tree(again / "images") == tree(new / "images")


def test_what_a_decision_leaves_open_follows_the_taxonomy(tmp_path, catalogue):
    """An article type alone brings its sub and master category along, in the catalogue's own spelling."""
    _, new = merge(tmp_path, catalogue, [of(1, "tshirts", with_path=False)])
    (row,) = [row for row in read_rows(open_catalogue(new)).taken if row.id == "1"]
    assert (row.cells["masterCategory"], row.cells["subCategory"], row.cells["articleType"]) == (
        "Apparel",
        "Topwear",
        "Tshirts",
    )


def test_a_new_label_waits_until_there_are_enough(tmp_path, catalogue):
    """Pictures of a label that the catalogue lacks wait beside it, over merges, and join together."""
    decisions = [of(20 + number, "Capes", decision=NEW_LABEL) for number in range(6)]
    report, first = merge(tmp_path, catalogue, decisions[:3], "--new-label-pictures", 5, out="first")
    assert report["outcomes"] == {"kept_apart": 3}
    assert "'Capes' has 3 of 5 pictures" in report["decisions"][0]["detail"]
    assert labels(first) == labels(catalogue)
    report, second = merge(tmp_path, first, decisions[3:], "--new-label-pictures", 5, out="second")
    assert report["outcomes"] == {"added": 6}
    assert sum(label == "Capes" for label in labels(second).values()) == 6
    assert not (second / "new_labels.csv").exists()


def test_a_zip_and_a_sheet_of_another_layout_are_merged_too(tmp_path, catalogue):
    """Whatever `run` takes: the corrected catalogue is a folder."""
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", catalogue)
    _, new = merge(tmp_path, packed, [of(1, "Flats")], out="from-zip")
    assert labels(new)["1"] == "Flats"
    assert zipfile.ZipFile(packed).read("styles.csv").decode() == STYLES
    foreign = tmp_path / "foreign"
    for kind, numbers in {"Shirts": (3, 30), "Jeans": (5, 50)}.items():
        (foreign / kind).mkdir(parents=True)
        for number in numbers:
            (foreign / kind / f"{number}.png").write_bytes(drawn(number))
    _, new = merge(tmp_path, foreign, [of(30, "Jeans", with_path=False)], out="from-folders")
    assert sorted(labels(new).values()) == ["Jeans", "Jeans", "Jeans", "Shirts"]


def test_a_split_column_says_that_corrections_are_learnt(tmp_path, catalogue):
    """Where each row says where it belongs, a new one says train: without a split it would be rejected."""
    sheet = catalogue / "styles.csv"
    sheet.write_text("id,articleType,split\n1,Heels,test\n2,Flats,eval\n3,Shirts,train\n", encoding="utf-8")
    _, new = merge(tmp_path, catalogue, [of(9, "Heels"), of(1, "Flats")])
    rows = {row.id: (row.cells["articleType"], row.split) for row in read_rows(open_catalogue(new)).taken}
    assert rows["1"] == ("Flats", "test")
    assert rows.popitem()[1] == ("Heels", "train")


def test_what_the_page_and_an_audit_leave_is_merged(tmp_path, catalogue):
    """The page's CSV and JSON, and an audit's list with decisions, are decisions as well."""
    export = tmp_path / "export"
    (export / "images").mkdir(parents=True)
    (export / "images" / "photo.png").write_bytes(drawn(9))
    (export / "styles.csv").write_text(
        "\ufeffid,masterCategory,subCategory,articleType\nphoto,Footwear,Shoes,Heels\n", encoding="utf-8"
    )
    entry = {"id": "2", "articleType": "Heels", "answer": {"path": ["Footwear", "Shoes", "Flats"], "release": "3"}}
    unchecked = {**entry, "id": "3", "checked": False, "corrected": False}
    entries = [{**entry, "checked": True, "corrected": True}, unchecked]
    (tmp_path / "answers.json").write_text(json.dumps(entries), encoding="utf-8")
    (tmp_path / "decisions.csv").write_text(
        "id,line,column,label,suggested,of_label,of_suggested,name,decision\n"
        "4,6,articleType,Tshirts,Shirts,.1,.9,x,Shirts\n5,7,articleType,Jeans,Shirts,.1,.9,x,Jeans\n3,4,articleType,Shirts,x,0,1,x,\n",
        encoding="utf-8",
    )
    files = [export, tmp_path / "answers.json", tmp_path / "decisions.csv"]
    report, new = merge_files(tmp_path, catalogue, files)
    assert report["outcomes"] == {"changed": 2, "added": 1, "unchanged": 1, "no_correction": 1}
    found = labels(new)
    assert (found["2"], found["4"], found["5"]) == ("Heels", "Shirts", "Jeans")
    kept = {one.id: one for one in read_corrections(new).taken}
    assert (kept["2"].answered, kept["2"].release, kept["2"].source) == ("Footwear / Shoes / Flats", "3", "page")
    assert kept["4"].decision == CORRECTED


def test_another_file_is_refused_in_words(tmp_path, catalogue):
    """What holds no decisions is told by what would be right."""
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    for name, words in (("other.csv", "is no list of corrections"), ("other.json", "is not what the page exports")):
        told = CliRunner().invoke(cli, ["corrections", "merge", str(tmp_path / name), "--data", str(catalogue)])
        assert told.exit_code == 1
        assert words in told.output

"""Anomalies in words, and what a catalogue would change in the schema."""

from pathlib import Path

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.catalogue.reading.rows import parse_rows
from components.catalogue.schema_gate.early import require_schema
from components.catalogue.schema_gate.head_features import with_heads
from components.catalogue.schema_gate.schema_diff import diff_schema, diff_text, updated_schema
from components.catalogue.schema_gate.statistics import catalogue_statistics, statistics_options
from components.catalogue.schema_gate.words import anomalies_in_words, lacking_labels_in_words
from components.errors import GateError
from schema import heads as table
from schema import names
from tests.drawing import csv_text, product, write_catalogue

OPTIONAL = (*table.columns((*table.taxonomy()[:-1], *table.attributes())), names.YEAR, names.PRODUCT_NAME)
SCHEMA = text_format.Parse((Path(names.__file__).parent / "schema.pbtxt").read_text(), schema_pb2.Schema())


def statistics_of(**changes: object) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Statistics of thirty examples as the import makes them, but for ``changes``; a column set to None is dropped."""
    rows = pd.DataFrame([product(str(number), number) for number in range(30)])
    rows = rows.assign(**{names.IMAGE: "x", names.GROUP: rows[names.ID], names.YEAR: 2012})
    rows = rows.assign(**{column: value for column, value in changes.items() if value is not None})
    kept = rows.drop(columns=[column for column, value in changes.items() if value is None])
    options = tfdv.StatsOptions(schema=schema_pb2.Schema(feature=[f for f in SCHEMA.feature if f.name == names.IMAGE]))
    return tfdv.generate_statistics_from_dataframe(kept, options)


def words(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> list[str]:
    return anomalies_in_words("train", tfdv.validate_statistics(statistics, SCHEMA), statistics)


def test_every_feature_of_the_import_is_in_the_schema_and_no_other() -> None:
    """Schema and names tell of the same features."""
    features = {names.IMAGE, names.ID, names.GROUP, *table.columns(), *OPTIONAL}
    assert {feature.name for feature in SCHEMA.feature} == features


def test_good_data_has_no_anomalies() -> None:
    """A catalogue as it should be says nothing, and so does one without any optional column."""
    assert words(statistics_of()) == []
    assert words(statistics_of(**dict.fromkeys(OPTIONAL))) == []


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"year": 1066}, ["year", "Unexpectedly small value: 1066", "whole numbers from 1900 to 2100", "1066 to 1066"]),
        ({"articleType": None}, ["articleType", "completely missing", "in every example", "no such column"]),
        ({"articleType": ["a", None] * 15}, ["articleType", "fewer examples", "in every example", "in 15 of 30"]),
        ({"gender": 1.5}, ["gender", "BYTES but got FLOAT", "text, may be missing", "numbers from 1.5 to 1.5"]),
        ({"colour": "red"}, ["colour", "not in schema", "knows no such feature"]),
        ({names.IMAGE: None}, [names.IMAGE, "completely missing"]),
    ],
)
def test_each_anomaly_says_where_what_and_what_is_wanted(changes: dict[str, object], parts: list[str]) -> None:
    """One sentence a feature: the split, the fault, the schema's wish and the data's fact."""
    (line,) = words(statistics_of(**changes))
    assert line.startswith("train: ")
    for part in parts:
        assert part in line


def test_one_article_type_is_nothing_to_learn() -> None:
    """A training split with a single article type is refused in words; a test split with one is not."""
    (line,) = lacking_labels_in_words(statistics_of(articleType="Shirts"))
    assert "articleType" in line
    assert "2 or more" in line
    assert lacking_labels_in_words(statistics_of(articleType=["Shirts", "Belts"] * 15)) == []
    assert words(statistics_of(articleType="Shirts")) == []


def test_statistics_do_not_read_pictures_as_words() -> None:
    """Pictures are counted and measured; thousands of them as values would fill the memory."""
    rows = pd.DataFrame({names.IMAGE: ["picture"] * 3, names.GENDER: ["Men"] * 3})
    of = {
        feature.path.step[0]: feature
        for feature in tfdv.generate_statistics_from_dataframe(rows, statistics_options()).datasets[0].features
    }
    assert of[names.IMAGE].WhichOneof("stats") == "bytes_stats"
    assert of[names.GENDER].string_stats.unique == 1
    restored = tfdv.StatsOptions.from_json(statistics_options().to_json())  # as TFX hands them to StatisticsGen
    assert restored.schema == statistics_options().schema
    assert restored.use_sketch_based_topk_uniques


def test_a_good_catalogue_changes_nothing(tmp_path: Path) -> None:
    """Nothing to change is said in words, and an update leaves the schema as it is."""
    statistics = catalogue_statistics(write_catalogue(tmp_path, [product(str(number), number) for number in range(9)]))
    assert diff_schema(statistics, SCHEMA) == []
    assert "meets the schema" in diff_text([])
    assert sorted(map(str, updated_schema(statistics, SCHEMA).feature)) == sorted(map(str, SCHEMA.feature))


def test_a_catalogue_that_does_not_fit_shows_what_it_would_change(tmp_path: Path) -> None:
    """The feature, why, and how it is and would be; the updated schema then lets it pass and keeps all else."""
    rows = [product(str(number), number, year="1850" if number < 3 else "2012") for number in range(9)]
    statistics = catalogue_statistics(write_catalogue(tmp_path, rows))
    (change,) = diff_schema(statistics, SCHEMA)
    assert change.feature == names.YEAR
    assert "1850" in change.reasons[0]
    assert "min: 1900" in change.now
    assert "min: 1850" in change.then
    assert "  +   min: 1850" in diff_text([change]) or "min: 1850" in diff_text([change])
    updated = updated_schema(statistics, SCHEMA)
    assert diff_schema(statistics, updated) == []
    assert {feature.name for feature in updated.feature} == {feature.name for feature in SCHEMA.feature}
    assert words(statistics_of(year=1850))
    assert not tfdv.validate_statistics(statistics_of(year=1850), updated).anomaly_info


def test_an_attribute_that_is_to_be_learnt_needs_two_values() -> None:
    """One that no row has, or all rows alike, is refused by name where a run asks for it, and nowhere else."""
    alike = statistics_of(gender="Men", usage=None, articleType=["Shirts", "Belts"] * 15, season=["Fall", None] * 15)
    assert lacking_labels_in_words(alike) == []
    gender, season, usage = lacking_labels_in_words(alike, ["usage", "season", "gender"])
    assert "gender: all rows have the same one" in gender
    assert "season: all rows have the same one" in season
    assert "usage: no row has one" in usage
    assert "leave it out" in usage


def test_the_schema_knows_every_head() -> None:
    """The curated schema lacks nothing of the table of heads."""
    assert with_heads(SCHEMA) == SCHEMA


def test_a_head_that_the_schema_lacks_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new row of the table needs no line in the schema: its column may be text or missing."""
    new = table.Head("fabric", "fabric", names.CATEGORY)
    monkeypatch.setattr(table, "HEADS", (*table.HEADS, new))
    completed = with_heads(SCHEMA)
    for fabric in ("Wool", ["Wool", None] * 15):
        statistics = statistics_of(fabric=fabric)
        assert anomalies_in_words("train", tfdv.validate_statistics(statistics, completed), statistics) == []
    tensor = completed.tensor_representation_group[""].tensor_representation["fabric"].dense_tensor
    assert tensor.default_value.HasField("bytes_value")


@pytest.mark.parametrize(
    "changes", [{names.YEAR: "1066"}, {names.ARTICLE_TYPE_LABEL: "Shirts"}, {"gender": ""}, {}], ids=str
)
@pytest.mark.parametrize("attributes", [(), ("gender",)], ids=str)
def test_an_early_look_says_what_the_gate_will_say(changes: dict[str, str], attributes: tuple[str, ...]) -> None:
    """The same rows get the same verdict in the same words before a run and in it."""
    rows = [product(str(number), number, **changes) for number in range(30)]
    content = csv_text(rows).encode()
    columns = {column: int(text) if column == names.YEAR else text or None for column, text in changes.items()}
    in_the_run = statistics_of(**columns)
    later = words(in_the_run) + lacking_labels_in_words(in_the_run, attributes)
    if not later:
        require_schema({names.TRAIN: parse_rows(content).taken}, SCHEMA, attributes)
        return
    with pytest.raises(GateError) as refused:
        require_schema({names.TRAIN: parse_rows(content).taken}, SCHEMA, attributes)
    assert [line.strip(" -") for line in str(refused.value).splitlines()[1:-1]] == later

"""The import as TFX runs it: a real pipeline, a real metadata store, files that TFX's own components read."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import tensorflow as tf
from google.protobuf import text_format
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.util import tfxio_utils
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.types import artifact_utils, standard_artifacts
from tfx_bsl.tfxio import dataset_options

from components.catalogue.example_gen.component import StylesExampleGen
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.schema_gate.component import SchemaGate
from components.catalogue.schema_gate.statistics import statistics_options
from components.errors import GateError
from components.storage.store import Store
from schema import heads as table
from schema import names
from tests.drawing import encoded, pixels, product, retouched, write_catalogue, zipped

# Without a runner's name Beam tries to fetch another one; without an image TFX packs itself up for far workers.
BEAM_ARGS = ["--runner=FnApiRunner", "--sdk_container_image=none"]
SCHEMA = Path(names.__file__).parent / "schema.pbtxt"
COUNT = 90


def products(**changes: str) -> list[dict[str, str]]:
    return [product(str(number), number, **changes) for number in range(COUNT)]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ninety products; 1 and 2 are twins by pixels, 3 and 4 by name, 5 has a broken picture, 6 an empty year."""
    rows = products()
    rows[4][names.PRODUCT_NAME] = rows[3][names.PRODUCT_NAME].upper()
    rows[6][names.YEAR] = ""
    images = {"2.jpg": encoded(retouched(pixels(1))), "5.jpg": b"broken", "orphan.jpg": encoded(pixels(1000))}
    return write_catalogue(tmp_path_factory.mktemp("catalogue"), rows, images)


def run(root: Path, components: Iterable[BaseNode]) -> MetadataStore:
    """Runs the components as a pipeline under ``root`` and opens its metadata."""
    connection = metadata.sqlite_metadata_connection_config(str(root / "metadata.db"))
    LocalDagRunner().run(
        pipeline.Pipeline(
            pipeline_name="test",
            pipeline_root=str(root / "artifacts"),
            components=list(components),
            enable_cache=True,
            metadata_connection_config=connection,
            beam_pipeline_args=BEAM_ARGS,
        )
    )
    return MetadataStore(connection)


def with_gate(data: Path, max_bad: float = 0.05, trial: bool = True) -> list[BaseNode]:
    example_gen = StylesExampleGen(str(data), max_bad=max_bad)
    statistics = StatisticsGen(examples=example_gen.outputs["examples"], stats_options=statistics_options())
    schema = ImportSchemaGen(schema_file=str(SCHEMA))
    validator = ExampleValidator(statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"])
    gate = SchemaGate(
        anomalies=validator.outputs["anomalies"],
        statistics=statistics.outputs["statistics"],
        report=example_gen.outputs["report"],
        trial=trial,
    )
    return [example_gen, statistics, schema, validator, gate]


def artifact_of(store: MetadataStore, kind: str) -> metadata_store_pb2.Artifact:
    return store.get_artifacts_by_type(kind)[-1]


def examples_of(store: MetadataStore) -> dict[str, list[tf.train.Example]]:
    uri = artifact_of(store, "Examples").uri
    return {split: list(read_split(Path(uri, f"Split-{split}"))) for split in names.SPLITS}


def read_split(directory: Path) -> Iterator[tf.train.Example]:
    for record in tf.data.TFRecordDataset(sorted(map(str, directory.glob("*.gz"))), "GZIP"):
        yield tf.train.Example.FromString(record.numpy())


def text(example: tf.train.Example, key: str) -> str:
    (value,) = example.features.feature[key].bytes_list.value
    return value.decode()


def report_of(store: MetadataStore) -> dict:
    return json.loads(Path(artifact_of(store, "lookbook.CatalogueReport").uri, "report.json").read_text())


def imported(root: Path, data: Path | str, limit: int = 0, split_by: str = "group") -> MetadataStore:
    return run(root, [StylesExampleGen(str(data), max_bad=0.05, limit=limit, split_by=split_by)])


@pytest.fixture(scope="module")
def store(catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> MetadataStore:
    return run(tmp_path_factory.mktemp("run"), with_gate(catalogue))


def test_every_good_row_is_an_example_in_one_split(store: MetadataStore, catalogue: Path) -> None:
    """Nothing is lost and nothing is doubled: each good row is there once, with its own picture and cells."""
    examples = {text(one, names.ID): (split, one) for split, of in examples_of(store).items() for one in of}
    assert set(examples) == {str(number) for number in range(COUNT)} - {"5"}
    assert sum(len(of) for of in examples_of(store).values()) == COUNT - 1
    for row_id, (_, example) in examples.items():
        row = product(row_id, int(row_id))
        assert (
            example.features.feature[names.IMAGE].bytes_list.value[0]
            == (catalogue / f"images/{row_id}.jpg").read_bytes()
        )
        assert all(text(example, label) == row[label] for label in table.columns())
    assert examples["7"][1].features.feature[names.YEAR].int64_list.value[0] == 2012
    assert names.YEAR not in examples["6"][1].features.feature


def test_twins_share_group_and_split(store: MetadataStore) -> None:
    """Same name in other letters, or the same photo with a mark on it: one group, one split."""
    placed = {
        text(one, names.ID): (text(one, names.GROUP), split) for split, of in examples_of(store).items() for one in of
    }
    assert placed["1"] == placed["2"]
    assert placed["1"][0] == "1"
    assert placed["3"] == placed["4"]
    assert len({group for group, _ in placed.values()}) == COUNT - 3


def test_the_report_tells_what_was_not_taken(store: MetadataStore) -> None:
    """The report artifact lists the broken picture, the orphan and the twins, for a machine and for a person."""
    report = report_of(store)
    assert [(one["id"], one["line"], one["reason"]) for one in report["rejected"]] == [("5", 7, "undecodable image")]
    assert report["images_without_row"] == ["images/orphan.jpg"]
    assert report["near_duplicates"] == [["1", "2"]]
    assert (report["rows"], report["taken"], sum(report["splits"].values())) == (COUNT, COUNT - 1, COUNT - 1)
    page = Path(artifact_of(store, "lookbook.CatalogueReport").uri, "index.html").read_text()
    assert "undecodable image" in page
    assert "images/orphan.jpg" in page


def test_the_artifact_is_what_tfx_components_expect(store: MetadataStore) -> None:
    """TFXIO, by which Transform, Trainer and Evaluator read, gets every feature of the curated schema."""
    examples = standard_artifacts.Examples()
    examples.set_mlmd_artifact(artifact_of(store, "Examples"))
    assert artifact_utils.decode_split_names(examples.split_names) == list(names.SPLITS)
    assert examples.get_string_custom_property("payload_format") == "FORMAT_TF_EXAMPLE"
    assert examples.get_string_custom_property("input_fingerprint")
    schema = text_format.Parse(SCHEMA.read_text(), schema_pb2.Schema())
    reader = tfxio_utils.get_split_tfxio([examples], "eval", ["test"], schema)
    (batch,) = list(reader.TensorFlowDataset(dataset_options.TensorFlowDatasetOptions(batch_size=1000, num_epochs=1)))
    assert {names.IMAGE, names.ID, names.GROUP, names.YEAR, *table.columns(table.HEADS)} <= set(batch)
    assert sorted(batch[names.ID].numpy()) == sorted(text(one, names.ID).encode() for one in examples_of(store)["eval"])


def test_good_data_passes_the_gate_and_a_second_run_runs_nothing(
    store: MetadataStore, catalogue: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The curated schema holds for a good catalogue; a run without a change is all cached."""
    blessing = json.loads(Path(artifact_of(store, "lookbook.DataBlessing").uri, "blessing.json").read_text())
    assert blessing == report_of(store)["splits"]
    root = Path(artifact_of(store, "Examples").uri).parents[3]
    again = run(root, with_gate(catalogue))
    states = Counter(execution.last_known_state for execution in again.get_executions())
    assert states == {metadata_store_pb2.Execution.COMPLETE: 5, metadata_store_pb2.Execution.CACHED: 5}


def test_a_changed_picture_is_imported_anew(catalogue: Path, tmp_path: Path) -> None:
    """New pixels under an old name are seen, for the fingerprint covers the images."""
    data = write_catalogue(tmp_path / "data", products())
    imported(tmp_path / "run", data)
    (data / "images" / "8.jpg").write_bytes(encoded(pixels(500)))
    store = imported(tmp_path / "run", data)
    states = [execution.last_known_state for execution in store.get_executions()]
    assert states == [metadata_store_pb2.Execution.COMPLETE] * 2


def test_folder_and_zip_give_the_same_files(store: MetadataStore, catalogue: Path, tmp_path: Path) -> None:
    """How a catalogue is packed changes no byte of the examples, and nor does doing it again."""

    def files(of: MetadataStore) -> dict[str, bytes]:
        root = Path(artifact_of(of, "Examples").uri)
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.gz")}

    packed = imported(tmp_path / "run", zipped(catalogue, tmp_path / "catalogue.zip", "top/"))
    assert files(packed) == files(store)
    assert set(files(store)) == {f"Split-{split}/data_tfrecord-00000-of-00001.gz" for split in names.SPLITS}


def test_a_zip_in_a_bucket_gives_the_same_files(
    store: MetadataStore, catalogue: Path, tmp_path: Path, s3_bucket: str
) -> None:
    """Beam's workers read a bucket by themselves, and nothing of the examples tells where the catalogue lay."""
    Store(s3_bucket).write("catalogue.zip", zipped(catalogue, tmp_path / "catalogue.zip").read_bytes())
    there = imported(tmp_path / "run", f"{s3_bucket}/catalogue.zip")
    assert examples_of(there) == examples_of(store)


def test_a_split_column_decides(tmp_path: Path) -> None:
    """Who brings splits gets these splits, and is told which groups they tear apart."""
    rows = [{**row, names.SPLIT_COLUMN: names.SPLITS[number % 3]} for number, row in enumerate(products())]
    rows[1][names.PRODUCT_NAME] = rows[0][names.PRODUCT_NAME]
    rows[2][names.SPLIT_COLUMN] = "validation"
    store = imported(tmp_path / "run", write_catalogue(tmp_path / "data", rows))
    for index, split in enumerate(names.SPLITS):
        assert {text(one, names.ID) for one in examples_of(store)[split]} == {
            str(number) for number in range(index, COUNT, 3) if number != 2
        }
    report = report_of(store)
    assert (report["split_by"], report["straddling_groups"]) == ("split column", ["0"])
    assert [(one["id"], one["reason"]) for one in report["rejected"]] == [("2", "unknown split")]


def test_rows_can_be_split_without_regard_to_groups(tmp_path: Path) -> None:
    """Who asks for a random split gets one, and is told which groups it tears apart."""
    rows = products(productDisplayName="One and the same")
    report = report_of(imported(tmp_path / "run", write_catalogue(tmp_path / "data", rows), split_by="row"))
    assert (report["split_by"], report["straddling_groups"]) == ("hash of row", ["0"])
    assert all(report["splits"].values())


def test_rows_can_be_split_by_year(tmp_path: Path) -> None:
    """The newest tenth of the rows is the test, the tenth before it is for evaluation, also where a year is cut."""
    rows = [{**row, names.YEAR: str(2011 + number % 2)} for number, row in enumerate(products())]
    examples = examples_of(imported(tmp_path / "run", write_catalogue(tmp_path / "data", rows), split_by="year"))
    assert [len(examples[split]) for split in names.SPLITS] == [COUNT * 8 // 10, COUNT // 10, COUNT // 10]
    assert {year_of(one) for split in (names.EVAL, names.TEST) for one in examples[split]} == {2012}


def year_of(example: tf.train.Example) -> int:
    (year,) = example.features.feature[names.YEAR].int64_list.value
    return int(year)


def test_a_limit_takes_that_many_rows(tmp_path: Path) -> None:
    """A quick run sees a part of the catalogue, and does not call the rest's pictures orphans."""
    store = imported(tmp_path / "run", write_catalogue(tmp_path / "data", products()), limit=60)
    assert sum(map(len, examples_of(store).values())) == 60
    assert report_of(store)["images_without_row"] == []


def test_too_many_bad_rows_stop_the_run(catalogue: Path, tmp_path: Path) -> None:
    """Above the allowed share nothing is published, and the error says how many, which and what to do."""
    with pytest.raises(
        CatalogueError, match=r"1 of 90 rows \(1\.1%\).*at most 1\.0%.*undecodable image.*line 7.*--max-bad"
    ):
        run(tmp_path, [StylesExampleGen(str(catalogue), max_bad=0.01)])
    assert not list(tmp_path.rglob("*.gz"))


def test_a_split_without_rows_stops_the_run(tmp_path: Path) -> None:
    """A catalogue too small to evaluate on says so here, not in the middle of a training."""
    data = write_catalogue(tmp_path / "data", products()[:3])
    with pytest.raises(CatalogueError, match=r"no rows for .*; give more products"):
        imported(tmp_path / "run", data)


def test_a_catalogue_of_nothing_but_bad_rows_says_so(tmp_path: Path) -> None:
    """Even when no row is left there is one clear error."""
    data = write_catalogue(tmp_path / "data", products(articleType=""))
    with pytest.raises(CatalogueError, match="90 of 90 rows"):
        imported(tmp_path / "run", data)


def test_an_anomaly_stops_the_run_at_the_gate(tmp_path: Path) -> None:
    """ExampleValidator only reports: it is the gate that stops, and it says which feature, where and what is wanted."""
    data = write_catalogue(tmp_path / "data", products(year="3012"))
    with pytest.raises(GateError) as error:
        run(tmp_path / "run", with_gate(data))
    for split in names.SPLITS:
        assert f"{split}: year: Unexpectedly large value: 3012 (schema: whole numbers from 1900 to 2100" in str(
            error.value
        )
    assert "lookbook schema diff" in str(error.value)


def test_too_few_rows_stop_the_run_at_the_gate(catalogue: Path, tmp_path: Path) -> None:
    """Before any training a catalogue is refused whose test split proves nothing, with how many rows are missing."""
    with pytest.raises(GateError, match=r"too few rows for a release(.|\n)*test: \d+ rows.*: \d+ are needed, \d+ more"):
        run(tmp_path / "run", with_gate(catalogue, trial=False))


@pytest.mark.parametrize(("max_bad", "limit", "says"), [(2, 0, "0 to 1"), (0.01, -1, "0 for all")])
def test_wrong_parameters_are_refused_at_once(catalogue: Path, max_bad: float, limit: int, says: str) -> None:
    """A slip in a parameter fails before anything runs."""
    with pytest.raises(ValueError, match=says):
        StylesExampleGen(str(catalogue), max_bad=max_bad, limit=limit)

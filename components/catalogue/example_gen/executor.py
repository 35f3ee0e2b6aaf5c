"""One Beam pipeline: check pictures in parallel, plan groups and splits of all, write shards in parallel."""

import json
import pickle
import zlib
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from absl import logging
from tfx.components.example_gen import utils
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact

from components.catalogue.example_gen.examples import write_shard
from components.catalogue.reading.fingerprint import fingerprint, require_unchanged
from components.catalogue.reading.pictures import CheckedRows, check_pictures
from components.catalogue.reading.rows import Rows, read_rows
from components.catalogue.reading.source import Catalogue, open_catalogue
from components.catalogue.report.check import ROWS_AT_ONCE, leftovers
from components.catalogue.report.page import render_page
from components.catalogue.report.report import REPORT_JSON, REPORT_PAGE, Leftovers, Report, make_report
from components.catalogue.splitting.plan import Plan, Shard, limited, make_plan
from components.catalogue.splitting.splits import SplitBy
from components.storage.location import Location, location
from schema import names


class Executor(base_beam_executor.BaseBeamExecutor):
    """Imports a catalogue as examples in three splits, and reports on it.

    Nothing is published if the catalogue cannot be read, too many of its rows are rejected, or a split stays empty.
    """

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See ``StylesExampleGen`` for inputs, outputs and parameters."""
        self._log_startup(input_dict, output_dict, exec_properties)
        path = location(exec_properties["input_base"])
        begun = fingerprint(path)
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        report_uri = artifact_utils.get_single_uri(output_dict["report"])
        catalogue = open_catalogue(path)
        unused = leftovers(catalogue, read_rows(catalogue))
        describe_examples(examples, exec_properties["fingerprint"])
        with self._make_beam_pipeline() as pipeline:
            plan = _plan(pipeline, path, exec_properties["limit"], SplitBy(exec_properties["split_by"]))
            _write_examples(plan, path, examples)
            _ = plan | "Report" >> beam.Map(
                _write_report, report_uri, str(path), exec_properties["fingerprint"], unused
            )
        require_unchanged(path, begun)
        finish_report(report_uri, catalogue, exec_properties["max_bad"])


def describe_examples(examples: Artifact, fingerprint: str) -> None:
    """Sets what other ExampleGens set, so that TFX's components take the artifact."""
    examples.split_names = artifact_utils.encode_split_names(list(names.SPLITS))
    examples.set_int_custom_property(utils.SPAN_PROPERTY_NAME, 0)
    examples.set_string_custom_property(utils.FINGERPRINT_PROPERTY_NAME, fingerprint)
    examples.set_string_custom_property(utils.PAYLOAD_FORMAT_PROPERTY_NAME, "FORMAT_TF_EXAMPLE")
    examples_utils.set_file_format(examples, "tfrecords_gzip")


def finish_report(report_uri: str, catalogue: Catalogue, max_bad: float) -> Report:
    """Writes the page beside the JSON, and refuses a catalogue that is not usable."""
    with fileio.open(f"{report_uri}/{REPORT_JSON}") as file:
        report = Report.from_json(json.loads(file.read()))
    report.require_usable(max_bad)
    with fileio.open(f"{report_uri}/{REPORT_PAGE}", "w") as file:
        file.write(render_page(report, catalogue))
    logging.info("%d of %d rows taken, %d rejected, %s", report.taken, report.rows, len(report.rejected), report.splits)
    return report


def _plan(pipeline: beam.Pipeline, path: Location, limit: int, split_by: SplitBy) -> beam.PCollection:
    return (
        pipeline
        | "Catalogue" >> beam.Create([str(path)])
        | "Rows" >> beam.FlatMap(_read_rows, limit).with_output_types(Rows)
        | "SpreadRows" >> beam.Reshuffle()
        | "CheckPictures" >> beam.ParDo(_CheckPictures(path)).with_output_types(tuple[int, CheckedRows])
        | "Together" >> beam.GroupByKey()
        | "Plan" >> beam.MapTuple(lambda _, checked: make_plan(checked, split_by)).with_output_types(Plan)
    )


def _write_examples(plan: beam.PCollection, path: Location, examples: Artifact) -> None:
    uris = {split: artifact_utils.get_split_uri([examples], split) for split in names.SPLITS}
    _ = (
        plan
        | "Shards" >> beam.FlatMap(Plan.shards).with_output_types(Shard)
        | "SpreadShards" >> beam.Reshuffle()
        | "WriteShards" >> beam.ParDo(_WriteShard(path, uris))
    )


def _read_rows(path: str, limit: int) -> Iterator[Rows]:
    return limited(read_rows(open_catalogue(location(path))), limit).chunks(ROWS_AT_ONCE)


class _PickleCoder(beam.coders.Coder):
    """Beam's own coder of objects packs each with bzip2, which takes longer than all the rest."""

    def encode(self, value: Any) -> bytes:
        return zlib.compress(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), 1)

    def decode(self, encoded: bytes) -> Any:
        return pickle.loads(zlib.decompress(encoded))  # nosec B301 # noqa: S301 - written by encode, in this run

    def estimate_size(self, value: Any) -> int:
        return 1  # Beam's default would encode each object once more to tell its size


for _type in (Rows, CheckedRows, Plan, Shard):
    beam.coders.registry.register_coder(_type, _PickleCoder)


class _WithCatalogue(beam.DoFn):
    """Opens the catalogue once a worker."""

    def __init__(self, path: Location) -> None:
        self._path = path

    def setup(self) -> None:
        self._catalogue = open_catalogue(self._path)


class _CheckPictures(_WithCatalogue):
    def process(self, rows: Rows) -> Iterator[tuple[int, CheckedRows]]:
        yield 0, check_pictures(self._catalogue, rows)


class _WriteShard(_WithCatalogue):
    def __init__(self, path: Location, uris: dict[str, str]) -> None:
        super().__init__(path)
        self._uris = uris

    def process(self, shard: Shard) -> None:
        write_shard(self._catalogue, shard, self._uris[shard.split])


def _write_report(plan: Plan, uri: str, source: str, fingerprint: str, unused: Leftovers) -> None:
    report = make_report(source, fingerprint, plan, unused)
    fileio.makedirs(uri)
    with fileio.open(f"{uri}/{REPORT_JSON}", "w") as file:
        file.write(json.dumps(report.as_json(), indent=1, ensure_ascii=False))

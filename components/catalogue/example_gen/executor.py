"""One Beam pipeline: check pictures, find groups, decide splits, write examples and report, each of it in parallel."""

import json
from typing import Any

import apache_beam as beam
from absl import logging
from apache_beam.utils.shared import Shared
from tfx.components.example_gen import utils
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact

from components.catalogue.example_gen import stages
from components.catalogue.example_gen.reporting import report_on
from components.catalogue.reading.fingerprint import fingerprint, require_unchanged
from components.catalogue.reading.rows import require_rows
from components.catalogue.reading.source import Catalogue
from components.catalogue.report.page import render_page
from components.catalogue.report.report import REPORT_JSON, REPORT_PAGE, Report
from components.catalogue.splitting.splits import SplitBy
from components.storage.errors import StorageError
from components.storage.location import location
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
        path, split_by = location(exec_properties["input_base"]), SplitBy(exec_properties["split_by"])
        begun = fingerprint(path)
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        report_uri = artifact_utils.get_single_uri(output_dict["report"])
        source = stages.Source(path, Shared())
        catalogue = source.open()  # the same that workers in this process use: the directory of a zip is large
        require_rows(catalogue)  # here its words reach whoever runs this as they are
        fileio.makedirs(report_uri)
        describe_examples(examples, exec_properties["fingerprint"])
        uris = {split: artifact_utils.get_split_uri([examples], split) for split in names.SPLITS}
        with self._make_beam_pipeline() as pipeline:
            plans, leftovers = _plans(pipeline, source, exec_properties["limit"], split_by, uris)
            report_on(plans, leftovers, report_uri, str(path), exec_properties["fingerprint"], split_by)
        require_unchanged(path, begun)
        finish_report(report_uri, catalogue, exec_properties["max_bad"])


def _plans(
    pipeline: beam.Pipeline, source: stages.Source, limit: int, split_by: SplitBy, uris: dict[str, str]
) -> tuple[beam.PCollection, beam.PCollection]:
    """The plan of each chunk of rows, whose examples are written, and what no row uses."""
    read = (
        pipeline
        | "Limit" >> beam.Create([limit])
        | "ReadRows" >> beam.ParDo(stages.ReadRows(source)).with_outputs(stages.LEFTOVERS, main="rows")
    )
    checked = (
        read.rows
        | "Chunks" >> beam.Map(lambda chunk: chunk).with_output_types(stages.Chunk)
        | "Spread" >> beam.Reshuffle()
        | "CheckPictures" >> beam.ParDo(stages.CheckPictures(source)).with_output_types(stages.Chunk)
    )
    plans = stages.place_rows(checked, stages.link_rows(checked, source), split_by)
    stages.write_examples(plans, source, uris)
    return plans, read[stages.LEFTOVERS]


def describe_examples(examples: Artifact, fingerprint: str) -> None:
    """Sets what other ExampleGens set, so that TFX's components take the artifact."""
    examples.split_names = artifact_utils.encode_split_names(list(names.SPLITS))
    examples.set_int_custom_property(utils.SPAN_PROPERTY_NAME, 0)
    examples.set_string_custom_property(utils.FINGERPRINT_PROPERTY_NAME, fingerprint)
    examples.set_string_custom_property(utils.PAYLOAD_FORMAT_PROPERTY_NAME, "FORMAT_TF_EXAMPLE")
    examples_utils.set_file_format(examples, "tfrecords_gzip")


def finish_report(report_uri: str, catalogue: Catalogue, max_bad: float) -> Report:
    """Writes the page beside the JSON, and refuses a catalogue that is not usable."""
    written = f"{report_uri}/{REPORT_JSON}"
    if not fileio.exists(written):
        raise StorageError(
            f"a worker of Beam wrote {written}, and here it is not: workers must see the folder of --root under the "
            "same path as whoever runs the pipeline"
        )
    with fileio.open(written) as file:
        report = Report.from_json(json.loads(file.read()))
    report.require_usable(max_bad)
    with fileio.open(f"{report_uri}/{REPORT_PAGE}", "w") as file:
        file.write(render_page(report, catalogue))
    logging.info(
        "%d of %d rows taken, %d rejected, %s", report.taken, report.rows, report.counts["rejected"], report.splits
    )
    return report

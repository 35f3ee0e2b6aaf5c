"""SchemaGate: ExampleValidator and the import report, this stops."""

import json
from pathlib import Path
from typing import Final

from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact, artifact_utils, standard_artifacts

from components.catalogue.example_gen.component import CatalogueReport
from components.catalogue.example_gen.executor import REPORT_JSON
from components.catalogue.report.enough import require_enough
from components.catalogue.report.report import Report
from components.catalogue.schema_gate.words import anomalies_in_words, lacking_labels_in_words, refusal
from components.errors import GateError
from schema import names

BLESSING: Final = "blessing.json"


class DataBlessing(artifact.Artifact):
    """``blessing.json``, split → number of examples: this data met the schema. Absent where it did not."""

    TYPE_NAME = "lookbook.DataBlessing"


@component
def SchemaGate(
    anomalies: InputArtifact[standard_artifacts.ExampleAnomalies],
    statistics: InputArtifact[standard_artifacts.ExampleStatistics],
    report: InputArtifact[CatalogueReport],
    blessing: OutputArtifact[DataBlessing],
    attributes: Parameter[str] = "[]",
    trial: Parameter[bool] = False,
    code: Parameter[str] = "",
) -> None:
    """Raises GateError where ExampleValidator found an anomaly in any split, or there are too few rows for a release.

    ``attributes`` is a JSON list of those that are to be learnt; ``trial`` says that few rows will do; ``code``, a hash
    of the source, is there for TFX's cache alone.
    """
    numbers = {
        split: statistics_pb2.DatasetFeatureStatisticsList.FromString(_only_file(statistics, split))
        for split in artifact_utils.decode_split_names(statistics.split_names)
    }
    found = {
        split: anomalies_pb2.Anomalies.FromString(_only_file(anomalies, split))
        for split in artifact_utils.decode_split_names(anomalies.split_names)
    }
    words = [line for split, anomaly in found.items() for line in anomalies_in_words(split, anomaly, numbers[split])]
    words += lacking_labels_in_words(numbers[names.TRAIN], json.loads(attributes))
    if words:
        raise GateError(refusal(words))
    document = json.loads((Path(report.uri) / REPORT_JSON).read_text(encoding="utf-8"))
    require_enough(Report.from_json(document), trial)
    directory = Path(blessing.uri)
    directory.mkdir(parents=True, exist_ok=True)
    examples = {split: of.datasets[0].num_examples for split, of in numbers.items()}
    (directory / BLESSING).write_text(json.dumps(examples), encoding="utf-8")


def _only_file(of: artifact.Artifact, split: str) -> bytes:
    (path,) = Path(artifact_utils.get_split_uri([of], split)).iterdir()
    return path.read_bytes()

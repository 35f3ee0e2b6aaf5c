"""One frozen configuration of a run; every path follows from one root."""

from dataclasses import dataclass, field
from pathlib import Path

from components.storage.location import Location
from components.training.hyperparameters import HyperParameters
from pipeline.running.engines import Engine
from schema import heads as table

PIPELINE_NAME = "lookbook"
METADATA_URL = "LOOKBOOK_METADATA"
"""A variable, no option: it may hold a password, and everyone on a machine can read the command lines."""
DEFAULT_ROOT = Path("build/lookbook")
CURATED_SCHEMA = Path(__file__).parents[1] / "schema" / "schema.pbtxt"
IMAGE_SCHEMA = Path("/opt/venv/lib/python3.13/site-packages/schema/schema.pbtxt")
"""Where the pipeline's image has it."""

BEAM_DEFAULTS = (
    # Beam's own default would fetch and run another runner, Prism, where the machine is online.
    "--runner=FnApiRunner",
    # Else TFX packs itself into a source distribution for each component, as soon as there is any argument.
    "--sdk_container_image=none",
)


@dataclass(frozen=True)
class Layout:
    """Where things lie below the root.

    Attributes:
      root: the home of runs and releases.
      metadata_url: of the database server that keeps MLMD, with its password; empty for SQLite below the root.
    """

    root: Path
    metadata_url: str = field(default="", repr=False)

    @property
    def artifacts(self) -> Path:
        """What the components of all runs wrote."""
        return self.root / "artifacts"

    @property
    def metadata(self) -> Path:
        """MLMD's sqlite file."""
        return self.root / "metadata.sqlite"

    @property
    def releases(self) -> Path:
        """Folder of releases; model servers read from it."""
        return self.root / "release"

    @property
    def imports(self) -> Path:
        """Catalogues made from data of other layouts, a folder for each."""
        return self.root / "imports"

    @property
    def logs(self) -> Path:
        """Full logs, a file a run."""
        return self.root / "logs"

    @property
    def lock(self) -> Path:
        """Held by whoever writes below the root."""
        return self.root / ".lock"


@dataclass(frozen=True)
class Remote:
    """A merger that runs elsewhere.

    Attributes:
      target: its gRPC address.
      api_key: empty where it asks for none.
      ca: PEM certificates that vouch for it; empty: those that this machine trusts; None: not encrypted.
    """

    target: str
    api_key: str = ""
    ca: bytes | None = None


@dataclass(frozen=True)
class PipelineConfig:
    """What a run is made of.

    Attributes:
      layout: where to write.
      data: folder or zip of a catalogue, here or in a store.
      profile: name of the hyper-parameters, for the record.
      hyperparameters: of both models.
      schema: the TFMD schema that the data must meet.
      max_bad: share of rows that may be rejected.
      limit: rows to take; 0 for all.
      split_by: a ``components.catalogue.splitting.splits.SplitBy``; a ``split`` column has precedence.
      most_p50_ms: gate on the median time of one served picture, in milliseconds.
      attributes: heads outside the taxonomy to learn as well, by name or column; kept by name, in the table's order.
      levels: names of the taxonomy's heads that the catalogue has a column of.
      trial: whether few rows will do, for a release that says TRIAL.
      thumbnails: whether the release brings small pictures of the products that it knows.
      beam_args: handed to every Beam pipeline, after those of the engine; the last of a name counts.
      engine: what runs them.
    """

    layout: Layout
    data: Location
    profile: str
    hyperparameters: HyperParameters
    schema: Path = CURATED_SCHEMA
    max_bad: float = 0.01
    limit: int = 0
    split_by: str = "group"
    most_p50_ms: float = 500.0
    attributes: tuple[str, ...] = ()
    levels: tuple[str, ...] = field(default_factory=lambda: tuple(head.name for head in table.taxonomy()))
    trial: bool = False
    thumbnails: bool = True
    beam_args: tuple[str, ...] = field(default_factory=tuple)
    engine: Engine = field(default_factory=Engine)

    def __post_init__(self) -> None:
        chosen = tuple(head.name for head in table.chosen(self.attributes) if head.level is None)
        object.__setattr__(self, "attributes", chosen)
        for argument in self.beam_args:
            if "dask" in argument.lower():
                raise ValueError(
                    f"Beam argument {argument!r}: Beam's DaskRunner drops and repeats elements without an error; "
                    "use the default local runner, or Prism, Flink or Spark"
                )

    @property
    def all_beam_args(self) -> list[str]:
        """What every Beam pipeline gets: defaults, the engine's, and those given as they are."""
        return [*BEAM_DEFAULTS, *self.engine.beam_args(), *self.beam_args]

    def heads(self, model: str) -> tuple[table.Head, ...]:
        """The heads that ``model`` learns in this run."""
        return table.of_model(model, table.chosen(self.attributes, self.levels))

"""StylesExampleGen: from a catalogue to examples in three splits and a report that a person reads."""

from typing import Any, Final

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts
from tfx.types.channel_utils import as_channel

from components.artifacts import CatalogueReport
from components.catalogue.example_gen.executor import Executor
from components.catalogue.reading.fingerprint import fingerprint
from components.catalogue.splitting.splits import SplitBy
from components.storage.location import location

DEFAULT_MAX_BAD: Final = 0.01


class StylesExampleGenSpec(component_spec.ComponentSpec):
    """Contract of StylesExampleGen; the parameters are its cache key."""

    INPUTS: dict[str, Any] = {}  # noqa: RUF012 - as TFX declares it
    OUTPUTS = {  # noqa: RUF012 - as TFX declares it
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "report": component_spec.ChannelParameter(type=CatalogueReport),
    }
    PARAMETERS = {  # noqa: RUF012 - as TFX declares it
        "input_base": component_spec.ExecutionParameter(type=str),
        "fingerprint": component_spec.ExecutionParameter(type=str),
        "max_bad": component_spec.ExecutionParameter(type=float),
        "limit": component_spec.ExecutionParameter(type=int),
        "split_by": component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
    }


class StylesExampleGen(base_beam_component.BaseBeamComponent):
    """Imports a folder or zip of the Kaggle layout.

    Outputs ``examples`` (splits train, eval, test) and ``report``.
    """

    SPEC_CLASS = StylesExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        input_base: str,
        max_bad: float = DEFAULT_MAX_BAD,
        limit: int = 0,
        split_by: str = SplitBy.GROUP.value,
        code: str = "",
    ) -> None:
        """Declares the import.

        Args:
            input_base: path or URI of a folder or zip with ``styles.csv`` and ``images/``.
            max_bad: share of rows that may be rejected, 0 … 1; more stop the run.
            limit: take this many rows, picked by the hash of their id; 0 for all.
            split_by: a :class:`SplitBy`; a ``split`` column has precedence.
            code: hash of the source; a change of it makes TFX import anew.

        Raises:
            CatalogueError: there is no catalogue at ``input_base``.
            ValueError: ``max_bad`` or ``limit`` is out of range, or ``split_by`` is none of the known.
        """
        if not 0 <= max_bad <= 1:
            raise ValueError(f"max_bad is {max_bad}; it is a share of rows, 0 to 1")
        if limit < 0:
            raise ValueError(f"limit is {limit}; it is a number of rows, or 0 for all")
        spec = StylesExampleGenSpec(
            input_base=input_base,
            fingerprint=fingerprint(location(input_base)),
            max_bad=float(max_bad),
            limit=limit,
            split_by=SplitBy(split_by).value,
            code=code,
            examples=as_channel([standard_artifacts.Examples()]),
            report=as_channel([CatalogueReport()]),
        )
        super().__init__(spec=spec)

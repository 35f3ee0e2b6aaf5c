"""Google Cloud's Dataflow: what it must be told, as arguments for Beam. Lookbook has never run there."""

import re
from dataclasses import dataclass
from typing import Final

_PROJECT: Final = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_REGION: Final = re.compile(r"[a-z]+-[a-z]+[0-9]+")
_FOLDER: Final = re.compile(r"gs://[a-z0-9][a-z0-9._-]+/.+")


@dataclass(frozen=True)
class Dataflow:
    """Whose Dataflow, and where.

    Attributes:
      project: id of the project that pays.
      region: such as ``europe-west1``.
      temp_location: a folder in a bucket, ``gs://…/…``, for what Beam hands to its workers.
    """

    project: str = ""
    region: str = ""
    temp_location: str = ""

    def require_whole(self) -> None:
        """Raises ValueError where one of them is missing, or cannot be what it should."""
        for option, value, pattern, example in (
            ("--project", self.project, _PROJECT, "the id of a project, as shop-1234"),
            ("--region", self.region, _REGION, "a region, as europe-west1"),
            ("--temp-location", self.temp_location, _FOLDER, "a folder in a bucket, as gs://shop/tmp"),
        ):
            if not pattern.fullmatch(value):
                raise ValueError(f"--runner dataflow: {option} is {value or 'missing'}; it is {example}")

    def beam_args(self, image: str, parallelism: int) -> tuple[str, ...]:
        """The arguments of Beam; ``parallelism`` 0 leaves the number of machines to Dataflow."""
        args = (
            "--runner=DataflowRunner",
            f"--project={self.project}",
            f"--region={self.region}",
            f"--temp_location={self.temp_location}",
            f"--sdk_container_image={image}",
        )
        return (*args, f"--max_num_workers={parallelism}") if parallelism else args

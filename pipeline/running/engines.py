"""Where Beam's share of a run is done: here, by a job server's workers, or on Dataflow; as arguments for Beam."""

import json
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from components.storage.location import Location
from pipeline.errors import RunError
from pipeline.running.dataflow import Dataflow
from schema.addresses import host_and_port

LOCAL: Final = "local"
DATAFLOW: Final = "dataflow"
JOB_SERVERS: Final = {"prism": "localhost:8073", "flink": "localhost:8099", "spark": "localhost:8099"}
"""Engines behind a job server, and where theirs listens if nobody says otherwise."""
NAMES: Final = (LOCAL, *JOB_SERVERS, DATAFLOW)

HERE: Final = "here"
_PLACES: Final = {"external": "EXTERNAL", "docker": "DOCKER", "process": "PROCESS"}
_SECONDS: Final = 10
_LONGEST_JOB_S: Final = 7 * 24 * 3600


@dataclass(frozen=True)
class Engine:
    """What does Beam's share of a run.

    Attributes:
      name: one of :data:`NAMES`.
      job_server: its HOST:PORT; empty: where it listens by default.
      workers: ``here`` (in this process), ``external:HOST:PORT`` (a worker pool), ``docker:IMAGE`` or
        ``process:COMMAND``; empty: here.
      parallelism: workers at once; 0: as the engine likes.
      dataflow: whose, and where; of the engine ``dataflow`` alone.

    Raises:
      ValueError: an option is none, or does not go with the engine.
    """

    name: str = LOCAL
    job_server: str = ""
    workers: str = ""
    parallelism: int = 0
    dataflow: Dataflow = field(default_factory=Dataflow)

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"--runner {self.name}: one of {', '.join(NAMES)}")
        if self.name == LOCAL and (self.job_server or self.workers or self.parallelism):
            raise ValueError(
                f"--job-server, --workers and --parallelism go with --runner {' or '.join(JOB_SERVERS)}; the local "
                "runner works in this process"
            )
        kind, _ = _environment(self.workers)
        if self.name == DATAFLOW:
            self.dataflow.require_whole()
            if kind != "DOCKER" or self.job_server:
                raise ValueError(
                    f"--runner dataflow starts workers of its own from an image with this code: give --workers "
                    f"docker:IMAGE and no --job-server; --workers is {self.workers or HERE}"
                )
        elif self.dataflow != Dataflow():
            raise ValueError(
                f"--project, --region and --temp-location go with --runner {DATAFLOW}; --runner is {self.name}"
            )
        if self.name in JOB_SERVERS:
            _address(self.endpoint, "--job-server")

    @property
    def endpoint(self) -> str:
        """HOST:PORT of the job server."""
        return self.job_server or JOB_SERVERS[self.name]

    def beam_args(self) -> tuple[str, ...]:
        """The arguments by which Beam's pipelines run there; none for this machine."""
        if self.name == LOCAL:
            return ()
        kind, particulars = _environment(self.workers)
        if self.name == DATAFLOW:
            return self.dataflow.beam_args(particulars, self.parallelism)
        args = ["--runner=PortableRunner", f"--job_endpoint={self.endpoint}", f"--environment_type={kind}"]
        # Beam ends the stream that tells how a job is by it: after 300 s, its default, a job on Prism fails.
        args.append(f"--job_server_timeout={_LONGEST_JOB_S}")
        if particulars:
            args.append(f"--environment_config={particulars}")
        if self.parallelism:
            args.append(f"--parallelism={self.parallelism}")
        return tuple(args)

    def require_reachable(self) -> None:
        """Sees to it that a job server listens, before a run begins that could not end.

        Raises:
          RunError: nothing does.
        """
        if self.name not in JOB_SERVERS:
            return
        try:
            socket.create_connection(_address(self.endpoint, "--job-server"), _SECONDS).close()
        except OSError as error:
            raise RunError(
                f"no job server of {self.name} answers at {self.endpoint} ({error}); start one, or name it by "
                "--job-server HOST:PORT: k8s/engines.md tells how"
            ) from error

    def require_within_reach(self, option: str, place: Location) -> None:
        """Sees to it that Dataflow's workers, which share no folder with this machine, can read or write a place.

        Raises:
          ValueError: it is a path.
        """
        if self.name == DATAFLOW and isinstance(place, Path):
            raise ValueError(f"{option} is {place}, a path; Dataflow's workers see none of this machine's: give a URI")

    def remark(self) -> str:
        """What a person should know of this choice; "" where there is nothing."""
        if self.name == "flink" and self.workers in ("", HERE):
            return "workers in this process serve one TaskManager alone; with more, give --workers external:HOST:PORT"
        if self.name == DATAFLOW:
            return "Lookbook has never run on Dataflow: see k8s/engines.md for what its workers must see of --root"
        return ""


def _environment(workers: str) -> tuple[str, str]:
    """Beam's type of a worker's environment, and its configuration."""
    if workers in ("", HERE):
        return "LOOPBACK", ""
    place, _, particulars = workers.partition(":")
    if place not in _PLACES or not particulars:
        raise ValueError(f"--workers {workers}: {HERE}, external:HOST:PORT, docker:IMAGE or process:COMMAND")
    if place == "external":
        _address(particulars, "--workers external")
    return _PLACES[place], json.dumps({"command": particulars}) if place == "process" else particulars


def _address(text: str, option: str) -> tuple[str, int]:
    try:
        return host_and_port(text)
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from error

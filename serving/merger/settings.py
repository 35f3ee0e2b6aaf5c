"""Every setting of the merger, a row each: the environment variable, its default and what it does.

The variable is ``LOOKBOOK_`` and the field's name in capitals; its last word is the unit. ``python -m serving --help``
prints the table.
"""

import dataclasses
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, get_type_hints

from schema.addresses import LAST_PORT, bare, require_target
from serving.merger.core import networks
from serving.merger.core.errors import SettingsError
from serving.merger.core.networks import is_loopback

PREFIX: Final = "LOOKBOOK_"
MOST: Final = 2**31 - 1
"""What gRPC takes as a number; as milliseconds 24 days."""
MOST_MEMORY: Final = 2**63 - 1
MOST_PROCESSES: Final = 256
ORIGIN: Final = re.compile(r"(http://[^/\s@?#A-Z*]+(?<!:80)|https://[^/\s@?#A-Z*]+(?<!:443))")
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
SWITCH: Final = {"true": True, "false": False}


class Row(NamedTuple):
    """What a setting does, and the least and greatest value of a number."""

    sentence: str
    least: int = 0
    most: int = MOST


@dataclass(frozen=True)
class Settings:
    """The merger's settings. Sizes are in bytes, times in milliseconds, as the names say."""

    host: Annotated[str, Row("Address that both transports listen on; 0.0.0.0 or :: for every one.")] = "127.0.0.1"
    http_port: Annotated[int, Row("Port of REST and the page; 0 picks a free one.", most=LAST_PORT)] = 8080
    grpc_port: Annotated[int, Row("Port of gRPC; 0 picks a free one.", most=LAST_PORT)] = 9090
    admin_port: Annotated[
        int, Row("Port of /metrics, /seen, /livez and /readyz, never encrypted; 0 picks a free one.", most=LAST_PORT)
    ] = 9091
    tls_certificate_file: Annotated[str, Row("PEM certificate chain for REST, page and gRPC; empty: no TLS.")] = ""
    tls_key_file: Annotated[str, Row("PEM private key of that certificate.")] = ""
    api_keys_file: Annotated[
        str, Row("Lines 'name key': who may call, read anew when the file changes; empty: everybody may.")
    ] = ""
    anonymous: Annotated[
        bool, Row("Whether everybody may call without a key, though others than this machine can reach the merger.")
    ] = False
    trusted_proxies: Annotated[
        str, Row("Addresses of proxies, comma-separated, whose X-Forwarded-For names the caller of REST; empty: none.")
    ] = ""
    cors_origins: Annotated[
        str,
        Row("Pages elsewhere that may call REST, as https://shop.example, comma-separated; *: any; empty: none."),
    ] = ""
    article_type_target: Annotated[str, Row("gRPC target of the model server with the article type model.")] = (
        "localhost:8500"
    )
    category_target: Annotated[str, Row("gRPC target of the model server with the category model.")] = "localhost:8500"
    model_ca_file: Annotated[
        str, Row("PEM certificates that vouch for the model servers; calls to them are then encrypted. Empty: not.")
    ] = ""
    model_certificate_file: Annotated[str, Row("PEM certificate chain shown to the model servers; empty: none.")] = ""
    model_key_file: Annotated[str, Row("PEM private key of that certificate.")] = ""

    request_timeout_ms: Annotated[int, Row("Time for an answer; a caller may ask for less, never for more.", 1)] = (
        10_000
    )
    stream_item_timeout_ms: Annotated[
        int, Row("Time for one picture of a stream, waiting for a place included.", 1)
    ] = 30_000
    upload_timeout_ms: Annotated[int, Row("Time for the body of a REST request to come in.", 1)] = 30_000
    reserve_ms: Annotated[int, Row("Part of a caller's time kept back from the models, to say what went wrong.")] = 50

    max_image_bytes: Annotated[int, Row("Largest picture file.", 1)] = 20 * 2**20
    max_image_pixels: Annotated[int, Row("Largest picture, width times height.", 1)] = 50_000_000
    max_request_bytes: Annotated[int, Row("Largest request, all pictures of a batch together.", 1)] = 24 * 2**20
    max_held_bytes: Annotated[
        int,
        Row(
            "Bytes held at once of all requests, those that still come in first: the slowest give way (429).",
            1,
            MOST_MEMORY,
        ),
    ] = 48 * 2**20
    max_connections: Annotated[
        int, Row("Most connections to a port at once; an idle one of whoever has most gives way to a new one.", 1)
    ] = 512
    max_decoded_bytes: Annotated[
        int,
        Row(
            "Memory for the pixels of all pictures that are decoded at once; a JPEG that needs more is decoded at half "
            "of its size, or less, and any other refused.",
            1,
            MOST_MEMORY,
        ),
    ] = 192 * 2**20
    decoding_processes: Annotated[
        int, Row("Processes that decode large pictures, one at a time each.", 1, MOST_PROCESSES)
    ] = 2
    max_batch_images: Annotated[int, Row("Most pictures in one batch call.", 1)] = 64
    model_batch_images: Annotated[int, Row("Most pictures in one call to a model.", 1)] = 16
    model_calls: Annotated[
        int, Row("Most calls at once to each server of a model; what comes meanwhile shares the next.", 1)
    ] = 1
    stream_window_images: Annotated[int, Row("Most pictures of one stream that are worked on at once.", 1)] = 16
    stream_idle_timeout_ms: Annotated[
        int, Row("Time that a stream may wait for its client, to send a picture or to read a result.", 1)
    ] = 60_000
    max_streams: Annotated[int, Row("Most streams at once.", 1)] = 32
    max_caller_streams: Annotated[int, Row("Most streams of one caller at once.", 1)] = 8
    max_active_images: Annotated[int, Row("Most pictures that are worked on at once, over all callers.", 1)] = 32
    max_queued_images: Annotated[int, Row("Most pictures that wait for a place; more are refused (429).")] = 64
    rate_images_per_s: Annotated[
        int, Row("Pictures a second that one caller (its key, else its address) may send in the long run; 0: any.")
    ] = 0
    rate_burst_images: Annotated[int, Row("Pictures that it may send at once after a pause.", 1)] = 128

    poll_interval_ms: Annotated[int, Row("Time between two looks at the model servers' versions.", 1)] = 1_000
    poll_timeout_ms: Annotated[int, Row("Time for one such look.", 1)] = 2_000
    retry_attempts: Annotated[
        int, Row("Most attempts of a call to a model, first included; only one that is not reached is asked again.", 1)
    ] = 3
    retry_backoff_ms: Annotated[int, Row("Longest wait before the first retry; it doubles from retry to retry.", 1)] = (
        50
    )
    breaker_failures: Annotated[int, Row("Failures in a row after which a model is left alone.", 1)] = 5
    breaker_open_ms: Annotated[int, Row("How long it is left alone before one call tries it again.", 1)] = 2_000
    keepalive_ms: Annotated[
        int, Row("Time between keepalive pings to a model server while calls are under way.", 1)
    ] = 10_000

    grpc_connection_age_ms: Annotated[
        int, Row("Age at which a gRPC connection ends, so that its client looks the addresses up again; 0: never.")
    ] = 30_000
    shutdown_delay_ms: Annotated[
        int, Row("After SIGTERM: time between saying 'not ready' and taking no more calls.")
    ] = 3_000
    drain_timeout_ms: Annotated[int, Row("After that: longest wait for answers under way.")] = 15_000
    thumbnails_dir: Annotated[
        str,
        Row(
            "Folder of releases, as the model servers read it: small pictures, and an index of very many; empty: none."
        ),
    ] = ""
    review_store: Annotated[
        str,
        Row(
            "Where answers that need review are kept with their pictures: a path, for SQLite, or "
            "postgresql://USER:PASSWORD@HOST/DATABASE; empty: nowhere."
        ),
    ] = ""
    reviewers: Annotated[
        str,
        Row(
            "Names of API keys, comma-separated, that may see and decide what is kept for review; *: whoever may call. "
            "Empty: nobody, but where no keys are asked for and none but this machine can call."
        ),
    ] = ""
    review_max_images: Annotated[int, Row("Most undecided answers kept for review; the oldest make room.", 1)] = 10_000
    review_max_bytes: Annotated[int, Row("Most bytes of their pictures; the oldest make room.", 1, MOST_MEMORY)] = 2**30
    review_keep_days: Annotated[
        int, Row("Days after which an answer that nobody touched goes with picture and decision; 0: never.")
    ] = 90
    review_lease_ms: Annotated[
        int, Row("Time that one person has to decide an answer, before somebody else may get it.", 1)
    ] = 300_000
    max_correction_images: Annotated[
        int,
        Row("Most pictures decided in review that count in answers at once; the oldest leave first. 0: none counts."),
    ] = 1_000
    log_level: Annotated[str, Row("DEBUG, INFO, WARNING or ERROR.")] = "INFO"
    web_dir: Annotated[Path, Row("Folder of the built page; left out when missing.")] = (
        Path(__file__).parents[1] / "web" / "dist"
    )

    @property
    def is_open(self) -> bool:
        """Whether strangers can reach the merger and need no key, without anybody having said that they may."""
        return not (self.api_keys_file or self.anonymous or is_loopback(self.host))

    @property
    def allowed_origins(self) -> list[str]:
        """The origins of :attr:`cors_origins`."""
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]

    def may_review(self, caller: str) -> bool:
        """Whether a caller, by the name of its key, may see others' pictures and decide about them."""
        names = [name.strip() for name in self.reviewers.split(",") if name.strip()]
        if names == ["*"]:
            return True
        return caller in names if self.api_keys_file else is_loopback(self.host)

    def target(self, model: str) -> str:
        """gRPC target of the model server of ``model``."""
        return str(getattr(self, f"{model}_target"))

    def require_targets(self) -> None:
        """Raises SettingsError where one of the model servers is where gRPC could not look."""
        try:
            for name in ("article_type_target", "category_target"):
                require_target(getattr(self, name), variable(name))
        except ValueError as error:
            raise SettingsError(f"{error}.") from error

    def require_proxies(self) -> None:
        """Raises SettingsError where what should be proxies are no addresses: nobody would ever be one of them."""
        try:
            networks.proxies(self.trusted_proxies)
        except ValueError as error:
            raise SettingsError(
                f"{variable('trusted_proxies')}: {error}; 10.0.0.7 would be an address, and 10.0.0.0/8 a network."
            ) from error

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads the settings; what is missing or empty keeps its default.

        Raises:
            SettingsError: a value is no number, too small or too great; the message names the variable, the value and
                the rule.
        """
        given = {field.name: environment.get(variable(field.name), "") for field in dataclasses.fields(cls)}
        settings = cls(**{name: _convert(name, text) for name, text in given.items() if text})
        for origin in settings.allowed_origins:
            _require_origin(origin, len(settings.allowed_origins))
        settings.require_targets()
        settings.require_proxies()
        if not isinstance(logging.getLevelName(settings.log_level.upper()), int):  # WARN and FATAL are names, too
            raise SettingsError(f"{variable('log_level')} is {settings.log_level!r}; it must be {' or '.join(LEVELS)}.")
        return dataclasses.replace(settings, host=bare(settings.host.strip()))

    @classmethod
    def unknown(cls, environment: Mapping[str, str]) -> list[str]:
        """Variables that start like settings but are none: misspelt, or set for someone else."""
        known = {variable(field.name) for field in dataclasses.fields(cls)}
        return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def variable(name: str) -> str:
    """Environment variable of the setting ``name``."""
    return PREFIX + name.upper()


def rows() -> dict[str, Row]:
    """Setting → what it does."""
    hints = get_type_hints(Settings, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


def table() -> str:
    """All settings with default and meaning, as text."""
    defaults = dataclasses.asdict(Settings())
    return "\n".join(f"  {variable(name)}={defaults[name]}\n      {row.sentence}" for name, row in rows().items())


def _require_origin(origin: str, of: int) -> None:
    """An origin that no browser would send lets nobody in, and nobody would know why."""
    if ORIGIN.fullmatch(origin) or (origin == "*" and of == 1):
        return
    raise SettingsError(
        f"{variable('cors_origins')} has {origin!r}; an origin is scheme://host or scheme://host:port in lower case, "
        "without the scheme's own port and without a path, as https://shop.example; * stands alone."
    )


def _convert(name: str, text: str) -> Any:
    kind = type(getattr(Settings, name))
    if kind is bool:
        if text.lower() not in SWITCH:
            raise SettingsError(f"{variable(name)} is {text!r}; it must be true or false.")
        return SWITCH[text.lower()]
    if kind is not int:
        return kind(text)
    _, least, most = rows()[name]
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise SettingsError(
            f"{variable(name)} is {text!r:.60}; it must be a whole number of at least {least}, and at most {most}."
        )
    return number

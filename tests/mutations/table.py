"""The places to break. Each was once broken without a test that noticed, or would be dear to break."""

from typing import Final

from tests.mutations.mutation import Mutation

MUTATIONS: Final = (
    Mutation(
        "a draining merger still says that it serves",
        "serving/merger/lifecycle.py",
        "return not self.is_draining and self._releases.readiness",
        "return self._releases.readiness",
        ("tests/serving/merger/test_process.py",),
    ),
    Mutation(
        "a rollback's manifest goes before the models",
        "components/release/store.py",
        """\
            self._move_models_away(rollback.withdrawn)
            announce(rollback)
            self._move_manifest_away(rollback.withdrawn)
""",
        """\
            durable.make_folder(self._withdrawn / str(rollback.withdrawn))
            self._move_manifest_away(rollback.withdrawn)
            self._move_models_away(rollback.withdrawn)
            announce(rollback)
""",
        ("tests/hardening/pipeline/test_killed_release.py", "-krollback_killed"),
        "pipeline",
    ),
    Mutation(
        "a release's models come before its manifest",
        "components/release/store.py",
        """\
            durable.write(self.manifest_path(version), json.dumps(document, indent=2, ensure_ascii=False) + "\\n")
            for model, path in staged.items():
                durable.rename(path, self.model_path(model, version))
""",
        """\
            for model, path in staged.items():
                durable.rename(path, self.model_path(model, version))
            durable.write(self.manifest_path(version), json.dumps(document, indent=2, ensure_ascii=False) + "\\n")
""",
        ("tests/hardening/pipeline/test_killed_release.py", "-krelease_killed"),
        "pipeline",
    ),
    Mutation(
        "a stream's window is unbounded",
        "serving/merger/service.py",
        """asyncio.Queue(
            self._settings.stream_window_images
        )""",
        "asyncio.Queue()",
        ("tests/serving/merger/grpc/test_grpc.py::test_stream_window",),
    ),
    Mutation(
        "a stale card is kept after a server returns",
        "serving/merger/models/releases.py",
        "known = {} if came_back else {",
        "known = {",
        ("tests/serving/merger/models/test_looks.py::test_card_of_a_server_that_was_away",),
    ),
    Mutation(
        "one bad look at the versions ends readiness",
        "serving/merger/models/releases.py",
        "LOST_AFTER_LOOKS: Final = 3",
        "LOST_AFTER_LOOKS: Final = 1",
        ("tests/serving/merger/models/test_looks.py::test_bad_look",),
    ),
    Mutation(
        "a full batching queue is asked again",
        "serving/merger/models/retries.py",
        "return error.code() == grpc.StatusCode.UNAVAILABLE and not is_overload(error)",
        "return error.code() == grpc.StatusCode.UNAVAILABLE",
        ("tests/serving/merger/models/test_retries.py", "tests/serving/merger/test_faults.py::test_busy_model"),
    ),
)

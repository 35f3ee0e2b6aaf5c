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
    Mutation(
        "a row without an attribute is counted as answered wrong",
        "components/evaluation/tfma_metrics.py",
        "if truth != names.UNLABELLED:",
        "if truth != names.UNLABELLED - 1:",
        ("tests/components/evaluation/test_tfma_metrics.py",),
        "pipeline",
    ),
    Mutation(
        "a row without an attribute is taken for the first class in the accuracy",
        "components/training/losses.py",
        "sample_weight=ops.sum(y_true, axis=-1)",
        "sample_weight=None",
        ("tests/components/training/test_losses.py",),
        "pipeline",
    ),
    Mutation(
        "a picture without an attribute is forgotten for all heads",
        "components/model/nearest_pictures.py",
        "np.any([ids >= 0",
        "np.all([ids >= 0",
        ("tests/components/model/test_nearest_pictures.py",),
        "pipeline",
    ),
    Mutation(
        "votes that nobody cast are taken from the network",
        "components/model/calibration.py",
        "(1 - of_votes)",
        "(1 - _VOTES_SHARE)",
        ("tests/components/model/test_calibration.py",),
        "pipeline",
    ),
    Mutation(
        "a row without an attribute moves the review threshold",
        "components/calibration/calibrating.py",
        "counted = labels != names.UNLABELLED",
        "counted = labels < len(card.labels)",
        ("tests/components/calibration/test_calibrator.py",),
        "pipeline",
    ),
)

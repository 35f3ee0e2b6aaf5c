"""The places to break. Each was once broken without a test that noticed, or would be dear to break."""

from typing import Final

from tests.mutations.mutation import Mutation

MUTATIONS: Final = (
    Mutation(
        "requests from features and by pictures share a call",
        "serving/merger/models/micro_batcher.py",
        "(request.version, bool(request.features))",
        "(request.version, False)",
        ("tests/serving/merger/models/test_micro_batcher.py",),
    ),
    Mutation(
        "a draining merger still says that it serves",
        "serving/merger/lifecycle.py",
        "return not (self.is_draining or self.is_broken) and self._releases.readiness",
        "return not self.is_broken and self._releases.readiness",
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
        durable.write(self.manifest_path(version), manifest)
        for model in table.MODELS:
            durable.rename(self._staging_path(model, version), self.model_path(model, version))
""",
        """\
        for model in table.MODELS:
            durable.rename(self._staging_path(model, version), self.model_path(model, version))
        durable.write(self.manifest_path(version), manifest)
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
        "return is_gone and not is_overload(error)",
        "return is_gone",
        ("tests/serving/merger/models/test_retries.py", "tests/serving/merger/test_faults.py::test_busy_model"),
    ),
    Mutation(
        "a model server that loads gets calls",
        "serving/merger/models/servers.py",
        "return calm if 2 * len(calm) >= len(servers) else servers",
        "return servers",
        ("tests/serving/merger/models/test_servers.py",),
    ),
    Mutation(
        "the few model servers that do not load drown",
        "serving/merger/models/servers.py",
        "return calm if 2 * len(calm) >= len(servers) else servers",
        "return calm or servers",
        ("tests/serving/merger/models/test_servers.py",),
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
        "features of another backbone are taken for one's own",
        "components/training/trainer.py",
        "digest.update(variable.numpy().tobytes())",
        'digest.update(b"")',
        ("tests/components/training/test_shared_features.py",),
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
    Mutation(
        "calibration is skipped: the temperature is not fitted",
        "components/calibration/calibrating.py",
        "calibration = fitting.fit_calibration(logits, labels)",
        "calibration = fitting.Calibration()",
        ("tests/components/calibration/test_calibrator.py",),
        "pipeline",
    ),
    Mutation(
        "calibration is skipped: it is fitted and not applied",
        "components/calibration/served_model.py",
        "return self._calibrations[head].scores(logits)",
        "return tf.nn.softmax(logits)",
        ("tests/components/calibration/test_calibrator.py",),
        "pipeline",
    ),
    Mutation(
        "calibration is skipped: what the Trainers made is released",
        "pipeline/pipeline.py",
        """calibrator.outputs["model"] for name, calibrator in calibrators.items()""",
        """trainer.outputs["model"] for name, trainer in trainers.items()""",
        ("tests/pipeline/test_pipeline.py",),
        "pipeline",
    ),
    Mutation(
        "rows of eval join training, by the trainer",
        "components/training/trainer.py",
        "((names.TRAIN, fn_args.train_files), (names.EVAL, fn_args.eval_files))",
        "((names.TRAIN, [*fn_args.train_files, *fn_args.eval_files]), (names.EVAL, fn_args.eval_files))",
        ("tests/components/training/test_trainer.py",),
        "pipeline",
    ),
    Mutation(
        "rows of test join training, by the pipeline",
        "pipeline/pipeline.py",
        "train_args=trainer_pb2.TrainArgs(splits=[names.TRAIN])",
        "train_args=trainer_pb2.TrainArgs(splits=[names.TRAIN, names.TEST])",
        ("tests/pipeline/test_pipeline.py",),
        "pipeline",
    ),
    Mutation(
        "a gate never refuses: what the Evaluator says is not heard",
        "components/evaluation/results.py",
        "if result.validation_ok:",
        "if result:",
        ("tests/components/evaluation/test_gates.py",),
        "pipeline",
    ),
    *(
        Mutation(
            f"a gate never refuses: the threshold of {gate} is out of reach",
            "components/evaluation/gates.py",
            old,
            new,
            ("tests/components/evaluation/test_gates.py",),
            "pipeline",
        )
        for gate, old, new in (
            ("skill", """lower_bound={"value": gates["skill"]}""", """lower_bound={"value": -9}"""),
            ("ece", """upper_bound={"value": gates["ece"]}""", """upper_bound={"value": 9}"""),
            ("top_1_drop", """absolute={"value": -gates["top_1_drop"]}""", """absolute={"value": -9}"""),
        )
    ),
    Mutation(
        "a gate never refuses: a refused pair is released",
        "components/release/paired_release.py",
        "    if refusals:\n",
        "    if not results:\n",
        ("tests/components/evaluation/test_gates.py",),
        "pipeline",
    ),
    Mutation(
        "a gate never refuses: anomalies of the data",
        "components/catalogue/schema_gate/component.py",
        "    if words:\n",
        "    if not numbers:\n",
        ("tests/components/catalogue/test_styles_example_gen.py", "-kgate"),
        "pipeline",
    ),
    Mutation(
        "a gate never refuses: nobody waits for that of the data",
        "pipeline/pipeline.py",
        "transform.add_upstream_node(gate)",
        "transform.add_upstream_node(validator)",
        ("tests/pipeline/test_pipeline.py",),
        "pipeline",
    ),
    Mutation(
        "a gate never refuses: a served score that differs",
        "components/release/serving_check/checking.py",
        "if not difference <= TOLERANCE:",
        "if difference < 0:",
        ("tests/components/release/test_serving_check.py",),
        "pipeline",
    ),
    Mutation(
        "a gate never refuses: a model that is too slow",
        "components/release/serving_check/checking.py",
        "if p50_ms > most_p50_ms:",
        "if p50_ms < 0:",
        ("tests/components/release/test_serving_check.py",),
        "pipeline",
    ),
    Mutation(
        "a sheet makes this machine call its own network",
        "components/catalogue/importing/fetching.py",
        "if not plain.is_global or plain.is_multicast:",
        "if plain.is_multicast:",
        ("tests/components/catalogue/importing/test_fetching.py",),
        "pipeline",
    ),
    Mutation(
        "an import follows a link out of its source",
        "components/catalogue/importing/sources/files.py",
        "if path.is_symlink() and not str(path.resolve()).startswith(inside):",
        "if str(path.resolve()) == inside:",
        ("tests/components/catalogue/importing/test_hostile_sources.py",),
        "pipeline",
    ),
    Mutation(
        "few pictures raise an alarm",
        "pipeline/drifting/comparing.py",
        "min(threshold + noise, 1.0)",
        "threshold",
        ("tests/pipeline/test_drift.py",),
        "pipeline",
    ),
    Mutation(
        "the merger counts pictures without an end",
        "serving/merger/core/seen.py",
        "if len(self._hours) > MOST_HOURS:",
        "if False:",
        ("tests/serving/merger/test_seen.py", "-kmemory"),
    ),
    Mutation(
        "corrections speak though a known picture is nearer",
        "serving/merger/core/corrections.py",
        "if similarities.max() < max(placed.nearest, default=0.0):",
        "if len(similarities) == 0:",
        ("tests/serving/merger/core/test_corrections.py",),
    ),
    Mutation(
        "an undone decision still counts",
        "serving/merger/learning/learner.py",
        "self._known = {one: self._known[one] for one in wanted if one in self._known}",
        "pass",
        ("tests/serving/merger/learning/test_learning.py", "-knext_picture"),
    ),
)

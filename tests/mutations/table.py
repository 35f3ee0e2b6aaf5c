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
)

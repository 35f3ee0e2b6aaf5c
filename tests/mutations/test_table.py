"""Mutations that no longer fit the code would pass for tests that notice."""

import pytest

from tests.mutations.mutation import ROOT, Mutation
from tests.mutations.table import MUTATIONS


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_mutation_fits(mutation: Mutation) -> None:
    """The text to break is in its file exactly once, the change is one, and the tests named for it are there."""
    assert mutation.fits, f"{mutation.file} does not hold {mutation.old!r} once"
    assert mutation.old != mutation.new
    assert all((ROOT / test.partition("::")[0]).exists() for test in mutation.tests if not test.startswith("-"))
    assert (ROOT / ".venv" / mutation.environment).exists()

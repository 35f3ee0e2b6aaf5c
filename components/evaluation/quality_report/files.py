"""Names of what lies beside the page, for machines."""

from typing import Final

AGAINST: Final = "against.csv"
"""Top-1 of the latest release and of this one on the same pictures, a row a head."""

JOINT: Final = "joint.csv"
"""Ways to one answer, a row each."""

AS_RELEASED: Final = "joint, as released"
"""Of these ways the one that is served."""

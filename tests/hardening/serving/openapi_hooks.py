"""What Schemathesis is told beyond the description. Runs in the environment of requirements/hardening.txt."""

from typing import Any

import schemathesis

MOST_PARTS = 8
"""As serving.merger.rest.forms.OTHER_PARTS, which a form's schema cannot say: a list becomes a part
for each value."""


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """Leaves out forms with more parts than the merger bears, and names that are no text, which a form makes text."""
    if not isinstance(body, dict):
        return True
    if not isinstance(body.get("name", ""), str):
        return False
    return sum(len(value) if isinstance(value, list) else 1 for value in body.values()) <= MOST_PARTS

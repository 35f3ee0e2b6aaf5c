"""The card as a file beside the SavedModel's graph, for whoever wants to read it without loading a model."""

import json
from pathlib import Path
from typing import Any

_FILE = Path("assets.extra") / "card.json"


def write_card(saved_model: Path, card: dict[str, Any]) -> None:
    """Writes what the ``metadata`` signature answers (see :data:`schema.names.CARD_KEY`) as a file, too."""
    path = saved_model / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_card(saved_model: Path) -> dict[str, Any]:
    """The card of a SavedModel that :func:`write_card` completed."""
    return json.loads((saved_model / _FILE).read_text(encoding="utf-8"))

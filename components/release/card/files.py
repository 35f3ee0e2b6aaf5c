"""The card's files, beside the report of a release."""

from pathlib import Path
from typing import Any

from components.release import durable
from components.release.card.facts import CardFacts, facts_of
from components.release.card.hub import render_readme
from components.release.card.page import render_card
from schema.release_folder import CARD, README


def card_files(facts: CardFacts) -> dict[str, str]:
    """Name → text."""
    return {CARD: render_card(facts), README: render_readme(facts)}


def draw_anew(manifest: dict[str, Any], report: Path) -> None:
    """Writes the card of a published release once more, after something was added to its report."""
    for name, text in card_files(facts_of(manifest, report)).items():
        durable.write(report / name, text)

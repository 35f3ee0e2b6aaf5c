"""The card's files, beside the report of a release."""

from components.release.card.facts import CardFacts
from components.release.card.hub import render_readme
from components.release.card.page import render_card
from schema.release_folder import CARD, README


def card_files(facts: CardFacts) -> dict[str, str]:
    """Name → text."""
    return {CARD: render_card(facts), README: render_readme(facts)}

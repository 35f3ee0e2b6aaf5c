"""A release: the cards of both models of one version, found to be made for each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from schema import heads as table
from schema.card_parts import FamiliarityCard, MemoryCard
from schema.model_card import CardError, HeadCard, ModelCard, TaxonomyPath
from serving.merger.core.errors import ReleaseError
from serving.merger.core.images import Size


@dataclass(frozen=True)
class Release:
    """A version of the models, with the cards of both, or of the only one that can be reached.

    Args:
        version: the number that both calls of an answer name.
        cards: by model.
        absent: model without a card → why, in words.
    """

    version: int
    cards: Mapping[str, ModelCard]
    absent: Mapping[str, str]

    @property
    def taxonomy(self) -> tuple[TaxonomyPath, ...]:
        """Every path seen in training, in order."""
        return self._any.taxonomy

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of the taxonomy that it tells, from the top down: those that its catalogue had."""
        return self._any.levels

    @property
    def joint(self) -> Mapping[str, float]:
        """Exponents of the joint answer, by head and :data:`schema.model_card.PATH`."""
        return self._any.joint

    @property
    def familiarity(self) -> FamiliarityCard | None:
        """How it tells whether a picture is like those that it knows; None where it does not."""
        return next((card.familiarity for card in self.cards.values() if card.familiarity), None)

    @property
    def memory(self) -> MemoryCard | None:
        """How the pictures vote that it knows; None where corrections cannot join them."""
        return next((card.memory for card in self.cards.values() if card.memory), None)

    @property
    def trial(self) -> bool:
        """Whether it was released on too few rows to mean much."""
        return any(card.trial for card in self.cards.values())

    @cached_property
    def heads(self) -> dict[str, HeadCard]:
        """The heads of all models that have a card."""
        return {head: card for model in self.cards.values() for head, card in model.heads.items()}

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """The heads outside the taxonomy, in the order of the cards."""
        return tuple(name for name, head in self.heads.items() if head.level is None)

    @cached_property
    def model_of(self) -> dict[str, str]:
        """Head → the model that carries it, of the models that have a card."""
        return {head: model for model, card in self.cards.items() for head in card.heads}

    @cached_property
    def features_from(self) -> dict[str, str]:
        """Model that can answer from the features of another → that one; empty where each looks at the picture."""
        tell = {card.shared_features: model for model, card in self.cards.items() if card.memory and card.heads}
        return {
            model: tell[card.shared_features]
            for model, card in self.cards.items()
            if card.heads and not card.memory and card.shared_features and card.shared_features in tell
        }

    @cached_property
    def in_turn(self) -> tuple[str, ...]:
        """The models that have heads, in the order to ask them: who tells features comes before who takes them."""
        return tuple(sorted((m for m, card in self.cards.items() if card.heads), key=self.features_from.__contains__))

    @cached_property
    def sizes(self) -> tuple[Size, ...]:
        """What the models see."""
        return tuple({Size.of(card) for card in self.cards.values()})

    @property
    def _any(self) -> ModelCard:
        return next(iter(self.cards.values()))


def make_release(version: int, cards: Mapping[str, ModelCard], absent: Mapping[str, str]) -> Release:
    """Puts a release together.

    Raises:
        ReleaseError: the models were not made for each other.
    """
    first, *others = cards.values()
    for other in others:
        if (other.levels, other.taxonomy, other.joint) != (first.levels, first.taxonomy, first.joint):
            raise ReleaseError(
                f"version {version} of {first.model} and {other.model} are no pair: their cards differ in levels, "
                "taxonomy or joint exponents; release both from one run"
            )
    _require_distinct(version, "name", [name for card in cards.values() for name in card.heads])
    _require_distinct(version, "column", [head.column for card in cards.values() for head in card.heads.values()])
    return Release(version, dict(cards), dict(absent))


def parse_card(text: str, model: str) -> ModelCard:
    """Reads the card of ``model``.

    Raises:
        ReleaseError: it cannot be read, is that of another model, or has not that model's heads of the taxonomy.
    """
    try:
        card = ModelCard.from_json(text)
    except CardError as error:
        raise ReleaseError(f"the card of {model} cannot be read: {error}") from error
    if card.model != model:
        raise ReleaseError(f"the card of {model} is the card of {card.model!r}; push each model under its own name")
    _require_levels(card)
    return card


def _require_levels(card: ModelCard) -> None:
    """An attribute needs no row in the table of heads: the card says all of it. The levels are the contract's."""
    levels = {head.name for head in table.taxonomy()}
    found = {name: head.level for name, head in card.heads.items() if head.level is not None or name in levels}
    wanted = {head.name: head.level for head in table.of_model(card.model) if head.name in card.levels}
    if found != wanted:
        raise ReleaseError(f"the card of {card.model} has the taxonomy's heads (and levels) {found}, not {wanted}")


def _require_distinct(version: int, what: str, values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ReleaseError(f"version {version} has two heads with the {what} {twice[0]!r}; each must have its own")

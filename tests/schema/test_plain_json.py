"""JSON written by hand says one thing or is refused."""

import pytest

from schema.card_fields import CardError
from schema.model_card import ModelCard
from schema.plain_json import parsed
from schema.release_folder import parsed_manifest


def test_a_key_with_two_values_is_refused() -> None:
    """Which of two values is meant, nobody can tell: of a document, a release's manifest and a model's card alike."""
    for read, fault in ((parsed, ValueError), (lambda text: parsed_manifest(text, 1), ValueError)):
        with pytest.raises(fault, match="the key 'trial' has two values, True and False; leave the right one"):
            read('{"trial": true, "trial": false}')
    with pytest.raises(CardError, match="the key 'model' has two values, 'a' and 'b'"):
        ModelCard.from_json('{"model": "a", "model": "b"}')


def test_a_key_that_says_the_same_twice_is_no_matter() -> None:
    """A value that is there twice is that value."""
    assert parsed('{"a": [1], "a": [1]}') == {"a": [1]}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_of_json_is_refused(number: str) -> None:
    """Python reads them, and `--json` would print them on, which no other reader of JSON takes."""
    with pytest.raises(ValueError, match=f"^{number} is no number of JSON"):
        parsed_manifest(f'{{"metrics": {{"article_type": {{"top_1": {number}}}}}}}', 1)

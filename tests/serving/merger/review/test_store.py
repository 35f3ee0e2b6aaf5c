"""Answers to be reviewed are kept once each and within bounds, and what people decide about them is never lost."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.merger.review.errors import Conflict, Missing
from serving.merger.review.records import Limits
from serving.merger.review.store import ReviewStore
from tests.serving.merger.review.offering import claimed, heels, keep, name_of, offered, unknown


def test_the_same_picture_of_the_same_release_is_one_card(store: ReviewStore) -> None:
    """It counts how often it was asked about; another release's answer is another card over the same bytes."""
    keep(store, "shoe", "bag", "shoe")
    keep(store, "shoe", release="2")
    found = {(card.release, name_of(store, card)): card.count for card in store.find()}
    assert found == {("1", "shoe"): 2, ("1", "bag"): 1, ("2", "shoe"): 1}
    assert store.count().open == 3


def test_two_mergers_that_keep_the_same_pictures_make_one_card_of_each(store: ReviewStore, target: str) -> None:
    """However they meet, no answer is lost and none is there twice."""
    other = ReviewStore(target)
    names = [f"shoe {number}" for number in range(20)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda one: keep(one, *names), [store, other] * 4))
    other.close()
    assert [card.count for card in store.find()] == [8] * 20


def test_oldest_undecided_cards_make_room_and_are_counted(store: ReviewStore) -> None:
    """The queue is bounded by cards and by bytes; what somebody looks at, or has decided, stays."""
    keep(store, "decided")
    decided = claimed(store)
    store.decide(decided.id, decided.lease, heels(decided))
    keep(store, "looked at")
    claimed(store)
    for number in range(5):
        keep(store, f"shoe {number}", limits=Limits(4, 10**8))
    assert [name_of(store, card) for card in store.find(order="oldest")] == ["looked at", "shoe 2", "shoe 3", "shoe 4"]
    kept = store.keep([offered("large", size=850)], Limits(4, 1_000))
    assert kept.dropped == 3
    assert [name_of(store, card) for card in store.find(order="oldest")] == ["looked at", "large"]
    counts = store.count()
    assert (counts.open, counts.decided, counts.dropped) == (2, 1, 5)


def test_cards_come_by_reason_and_confidence(store: ReviewStore) -> None:
    """The least sure first unless asked otherwise; a reason shows its own cards alone."""
    keep(store, "half", confidence=0.5)
    keep(store, "hardly", confidence=0.1)
    keep(store, "noise", confidence=0.9, reason="unfamiliar")
    assert [name_of(store, card) for card in store.find()] == ["hardly", "half", "noise"]
    assert [name_of(store, card) for card in store.find(order="surest")] == ["noise", "half", "hardly"]
    assert [name_of(store, card) for card in store.find(order="oldest", limit=1, offset=1)] == ["hardly"]
    assert [name_of(store, card) for card in store.find("unfamiliar")] == ["noise"]
    assert store.count().reasons == {"low_confidence": 2, "unfamiliar": 1}
    card = store.claim("unfamiliar", "least_sure", 60)
    assert card and card.reasons == ["unfamiliar"] and card.caller == "anna"


def test_no_two_people_get_the_same_card(store: ReviewStore, target: str) -> None:
    """Eight at once through two mergers get each card once, and nothing when all are given out."""
    keep(store, *(f"shoe {number}" for number in range(20)))
    other = ReviewStore(target)
    start = threading.Barrier(8)

    def work(number: int) -> list[int]:
        start.wait()
        mine = (store, other)[number % 2]
        return [card.id for _ in range(4) if (card := mine.claim("", "least_sure", 60))]

    with ThreadPoolExecutor(8) as threads:
        given = [card_id for found in threads.map(work, range(8)) for card_id in found]
    # Who meets another at the same card may come away with none; who asks again gets one.
    while card := other.claim("", "least_sure", 60):
        given.append(card.id)
    other.close()
    assert sorted(given) == sorted(card.id for card in store.find())
    assert store.count().leased == 20


def test_a_lease_ends_by_itself_or_when_given_back(store: ReviewStore) -> None:
    """Then the next one gets the card, and the first one's decision is refused: it never overwrites the other's."""
    keep(store, "shoe")
    first = claimed(store, lease_s=0.05)
    time.sleep(0.1)
    second = claimed(store)
    assert second.id == first.id
    with pytest.raises(Conflict, match="is not yours any more"):
        store.decide(first.id, first.lease, heels(first))
    assert store.give_back(second.id, first.lease) is False
    assert store.give_back(second.id, second.lease) is True
    with pytest.raises(Conflict, match="is not yours any more"):
        store.decide(second.id, "", heels(second))
    third = claimed(store)
    assert store.decide(third.id, third.lease, heels(third)).version == 1


def test_a_decision_sent_twice_is_one_and_another_one_is_refused(store: ReviewStore) -> None:
    """Whoever did not hear the answer may ask again; nobody decides a card anew without undoing it."""
    keep(store, "shoe")
    card = claimed(store)
    correction = heels(card)
    assert [store.decide(card.id, card.lease, correction).version for _ in range(2)] == [1, 1]
    with pytest.raises(Conflict, match="decided as corrected already"):
        store.decide(card.id, card.lease, unknown(card))
    with pytest.raises(Missing, match="no card 99"):
        store.decide(99, card.lease, correction)


def test_what_is_undone_is_open_again_and_stays_in_the_record(store: ReviewStore) -> None:
    """The record tells both, in order, with who; whoever undid has the card, and undoing twice is refused."""
    keep(store, "shoe", "bag")
    card = claimed(store)
    store.decide(card.id, card.lease, heels(card, by="anna"))
    again = store.undo(1, "berta", 60)
    assert again.id == card.id and again.decided is None
    with pytest.raises(Conflict, match="taken back before"):
        store.undo(1, "berta", 60)
    with pytest.raises(Missing, match="no decision 2"):
        store.undo(2, "berta", 60)
    assert store.decide(again.id, again.lease, unknown(again)).version == 3
    (told,) = store.in_force(0)
    assert (told.version, told.correction.decision, told.picture) == (3, "unknown", store.picture(card.id)[0])
    assert store.in_force(3) == []


def test_large_pictures_are_told_a_few_at_once(store: ReviewStore) -> None:
    """However many decisions are asked for, their pictures fill no memory; reading on from the last misses none."""
    megabytes = [1, 1, 1, 3, 6, 1, 1]
    for number, size in enumerate(megabytes):
        keep(store, f"shoe {number}", size=size * 2**20)
        card = claimed(store)
        store.decide(card.id, card.lease, heels(card))
    seen, after = [], 0
    while found := store.in_force(after, 100):
        seen.append([len(one.picture) // 2**20 for one in found])
        after = found[-1].version
    assert seen == [[1, 1, 1], [3], [6], [1, 1]]
    assert [len(one.picture) // 2**20 for one in store.in_force(0, 100, newest=True)] == [1, 1]
    assert [one.picture for one in store.in_force(0, 100, pictures=False)] == [b""] * 7


def test_the_newest_that_hold(store: ReviewStore) -> None:
    """Whoever learns from decisions hears which hold, newest first and no more than asked for, and that some ended."""
    keep(store, "shoe", "bag", "hat")
    assert (store.version(), store.newest(9)) == (0, (0, []))
    cards = [claimed(store) for _ in range(3)]
    for card in cards:
        store.decide(card.id, card.lease, heels(card))
    assert (store.version(), store.newest(2)) == (3, (3, [3, 2]))
    store.undo(3, "berta", 60)
    assert (store.version(), store.newest(2)) == (4, (4, [2, 1]))
    store.remove(cards[0].id, "berta")
    assert store.newest(9) == (5, [2])


def test_versions_are_seen_in_order(store: ReviewStore, target: str) -> None:
    """Whoever reads on from the last version misses none, however many decide at once."""
    other = ReviewStore(target)
    keep(store, *(f"shoe {number}" for number in range(40)))
    seen: list[int] = []

    def decide(mine: ReviewStore) -> None:
        while card := mine.claim("", "least_sure", 60):
            mine.decide(card.id, card.lease, heels(card))

    with ThreadPoolExecutor(4) as threads:
        work = [threads.submit(decide, one) for one in (store, other) * 2]
        while not all(one.done() for one in work) or store.in_force(seen[-1] if seen else 0):
            seen += [one.version for one in store.in_force(seen[-1] if seen else 0)]
            time.sleep(0.01)  # a loop without a pause would keep the others from Python's lock, with SQLite's in hand
    other.close()
    for one in work:
        one.result()
    assert seen == [*range(1, len(seen) + 1)]
    assert store.count().decided == len(seen) >= 20


def test_a_removed_card_leaves_no_picture_and_is_told(store: ReviewStore) -> None:
    """Its bytes are gone unless another card shows them; whoever learnt from its decision hears of it."""
    keep(store, "shoe")
    keep(store, "shoe", release="2")
    card = claimed(store)
    store.decide(card.id, card.lease, heels(card))
    (other,) = store.find()
    store.remove(other.id, "berta")
    assert [one.picture != b"" for one in store.in_force(0)] == [True]
    store.remove(card.id, "berta")
    with pytest.raises(Missing):
        store.picture(card.id)
    assert (store.in_force(0), store.version()) == ([], 2)
    with pytest.raises(Missing):
        store.undo(1, "anna", 60)


def test_old_cards_are_removed_with_their_pictures(store: ReviewStore) -> None:
    """What nobody has touched for long goes, decided or not; what somebody looks at stays until later."""
    keep(store, "decided", "open", "looked at")
    first = claimed(store)
    store.decide(first.id, first.lease, heels(first))
    second = claimed(store)
    assert store.remove_older_than(3600) == 0
    time.sleep(0.1)
    assert store.remove_older_than(0.05) == 2
    assert [card.id for card in store.find()] == [second.id]
    assert (store.in_force(0), store.version()) == ([], 2)

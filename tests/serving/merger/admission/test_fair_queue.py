"""Whose turn it is, when several want more than there is."""

from serving.merger.admission.fair_queue import FairQueue


def order(*pushed: tuple[str, str, int]) -> list[str]:
    """Who gets its turns in which order, given caller, call and cost of each item."""
    queue: FairQueue[tuple[str, str, int]] = FairQueue()
    for one in pushed:
        queue.push(one, one[2], one[0], one[1])
    turns = []
    while queue:
        item = queue.head()
        assert queue.pop() == item
        turns.append(f"{item[0]}{item[1]}")
    return turns


def test_callers_take_turns() -> None:
    """One with much to do does not keep another waiting until all of it is done."""
    assert order(*[("a", "1", 4)] * 3, ("b", "1", 4)) == ["a1", "b1", "a1", "a1"]


def test_share_is_weighed() -> None:
    """What is dear counts for more: four cheap turns for one dear one."""
    assert order(("a", "1", 4), ("a", "1", 4), *[("b", "1", 1)] * 5) == ["a1", "b1", "b1", "b1", "b1", "a1", "b1"]


def test_calls_of_one_caller_take_turns() -> None:
    """A picture by itself is not behind the whole batch of the same caller."""
    assert order(*[("a", "1", 16)] * 4, ("a", "2", 1)) == ["a1", "a2", "a1", "a1", "a1"]


def test_newcomer_has_no_credit() -> None:
    """Who did not ask for a while gets its turn like the others, and no more for it."""
    queue: FairQueue[str] = FairQueue()
    for i in range(10):
        queue.push(f"a{i}", 1, "a", i)
    for _ in range(5):
        queue.pop()
    for i in range(4):
        queue.push(f"b{i}", 1, "b", i)
    assert [queue.pop()[0] for _ in range(8)] == ["b", "a", "b", "a", "b", "a", "b", "a"]


def test_removed_items_cost_nothing() -> None:
    """Who gave up waiting leaves nothing behind."""
    queue: FairQueue[str] = FairQueue()
    first, second = "first", "second"
    queue.push(first, 1, "a", 1)
    queue.push(second, 1, "a", 2)
    queue.remove(first)
    assert list(queue) == [second] and queue.pop() == second and not queue

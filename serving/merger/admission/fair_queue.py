"""Whose turn it is: start-time fair queueing (Goyal, Vin and Cheng, 1996) among callers, and among one caller's calls.

Each caller has a clock that what it gets drives forward by its cost. The turn is the one's whose clock is behind; a
newcomer begins at the present, so that whoever sends much waits for itself and not before everybody else. The calls of
one caller take turns in the same way.
"""

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass
class _Clock:
    """Where someone stands; never behind ``now`` of those it competes with."""

    finish: float = 0.0


@dataclass
class _Call(_Clock, Generic[Item]):
    waiting: deque[tuple[int, float, Item]] = field(default_factory=deque)  # number, cost, item


@dataclass
class _Caller(_Clock, Generic[Item]):
    now: float = 0.0
    calls: dict[Hashable, _Call[Item]] = field(default_factory=dict)

    def next(self) -> tuple[Hashable, _Call[Item]]:
        """The call whose turn it is."""
        return min(self.calls.items(), key=lambda call: (max(call[1].finish, self.now), call[1].waiting[0][0]))


class FairQueue(Generic[Item]):
    """Items with a cost, each of a call of a caller."""

    def __init__(self) -> None:
        self._callers: dict[str, _Caller[Item]] = {}
        self._now = 0.0
        self._pushed = 0

    def __iter__(self) -> Iterator[Item]:
        """All items; the order says nothing."""
        for caller in self._callers.values():
            for call in caller.calls.values():
                for _, _, item in call.waiting:
                    yield item

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return any(caller.calls for caller in self._callers.values())

    def push(self, item: Item, cost: float, caller: str, call: Hashable) -> None:
        """Adds an item behind those of the same call."""
        self._forget_the_past()
        queue = self._callers.setdefault(caller, _Caller()).calls.setdefault(call, _Call())
        queue.waiting.append((self._pushed, cost, item))
        self._pushed += 1

    def head(self) -> Item:
        """The item whose turn it is; there must be one."""
        _, _, call = self._turn()
        return call.waiting[0][2]

    def pop(self) -> Item:
        """Takes it out, at its cost."""
        caller, name, call = self._turn()
        _, cost, item = call.waiting.popleft()
        self._now = max(caller.finish, self._now)
        caller.finish = self._now + cost
        caller.now = max(call.finish, caller.now)
        call.finish = caller.now + cost
        if not call.waiting:
            del caller.calls[name]
        return item

    def remove(self, item: Item) -> None:
        """Takes an item out, at no cost."""
        for caller in self._callers.values():
            for name, call in caller.calls.items():
                for entry in call.waiting:
                    if entry[2] is item:
                        call.waiting.remove(entry)
                        if not call.waiting:
                            del caller.calls[name]
                        return

    def _turn(self) -> tuple[_Caller[Item], Hashable, _Call[Item]]:
        turns = [(caller, *caller.next()) for caller in self._callers.values() if caller.calls]
        return min(turns, key=lambda turn: (max(turn[0].finish, self._now), turn[2].waiting[0][0]))

    def _forget_the_past(self) -> None:
        idle = [name for name, one in self._callers.items() if not one.calls and one.finish <= self._now]
        for name in idle:
            del self._callers[name]

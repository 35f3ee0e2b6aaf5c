"""The breaker opens after failures in a row, lets one call try, and closes when that succeeds."""

from serving.merger.models.circuit_breaker import CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(failures=3, open_s=2.0, clock=clock)
    for _ in range(3):
        assert breaker.admit()
        breaker.failed()
    return breaker


def test_opens_after_failures_in_a_row() -> None:
    """A success in between starts the count anew; the third failure in a row opens."""
    breaker = CircuitBreaker(failures=3, open_s=2.0, clock=Clock())
    for outcome in (breaker.failed, breaker.failed, breaker.succeeded, breaker.failed, breaker.failed):
        assert breaker.admit()
        outcome()
    assert breaker.admit() and not breaker.is_open
    breaker.failed()
    assert breaker.is_open and not breaker.admit() and breaker.wait_s == 2.0


def test_one_call_tries() -> None:
    """When the time is over one call goes through, not all that wait; its success lets all through again."""
    clock = Clock()
    breaker = opened(clock)
    clock.now += 2.0
    assert [breaker.admit() for _ in range(3)] == [True, False, False]
    breaker.succeeded()
    assert all(breaker.admit() for _ in range(3))


def test_failed_try_opens_again() -> None:
    """A try that fails costs one call, and the wait begins anew."""
    clock = Clock()
    breaker = opened(clock)
    clock.now += 2.0
    assert breaker.admit()
    breaker.failed()
    assert not breaker.admit() and breaker.wait_s == 2.0


def test_abandoned_try_frees_the_place() -> None:
    """A caller that hangs up during the try does not leave the model alone for ever."""
    clock = Clock()
    breaker = opened(clock)
    clock.now += 2.0
    assert breaker.admit()
    breaker.left()
    assert breaker.admit()

"""How often somebody may try to log in: ten a minute from one address, three hundred from all."""

from ui.attempts import Attempts


class Clock:
    """A clock that stands until it is put on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_ten_wrong_tokens_a_minute() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for second in range(10):
        clock.now = float(second)
        assert attempts.wait_seconds("a") == 0
        attempts.failed("a")
    assert attempts.wait_seconds("a") == 51, "until the first of them is a minute old"
    assert attempts.wait_seconds("b") == 0
    clock.now = 60.5
    assert attempts.wait_seconds("a") == 0, "one may be tried again"
    attempts.failed("a")
    assert attempts.wait_seconds("a") > 0
    clock.now = 200.0
    assert attempts.wait_seconds("a") == 0


def test_a_right_token_costs_nothing() -> None:
    attempts = Attempts(Clock())
    for _ in range(50):
        attempts.failed("a")
        attempts.forgive("a")
    assert attempts.wait_seconds("a") == 0


def test_many_addresses_are_one_somebody() -> None:
    attempts = Attempts(Clock())
    for client in range(300):
        assert attempts.wait_seconds(f"{client}") == 0
        attempts.failed(f"{client}")
    assert attempts.wait_seconds("another") == 60


def test_memory_is_bounded() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for client in range(10_050):
        clock.now += 1.0
        attempts.wait_seconds("x")
        attempts.failed(f"{client}")
    assert len(attempts._by_client) == 10_000
    assert len(attempts._all) <= 61

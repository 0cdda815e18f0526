import asyncio

from lapsewatch.clients.budget import MemoryCallBudget
from lapsewatch.clients.granted_turns import GrantedTurns
from lapsewatch.core.call_budget import Allowance, Grant


class Told(MemoryCallBudget):
    """Keeps how many calls it was told to be in flight."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(allowance)
        self.in_flight: list[int] = []

    def reserve(self, wanted: int, in_flight: int, unused: int = 0) -> Grant:
        self.in_flight.append(in_flight)
        return super().reserve(wanted, in_flight, unused)


def test_the_budget_is_told_of_the_places_that_turns_in_hand_may_take_before_it_answers() -> None:
    budget = Told(Allowance(requests_per_second=100, max_in_flight=8))

    async def renew() -> None:
        turns, is_answered = GrantedTurns(budget), asyncio.Event()
        for now in (0.0, 0.0, 2.0, 2.0):
            turns.see_to(now, 1000, 5, is_answered.set)
            if turns._asked is not None:
                await is_answered.wait()
                is_answered.clear()
        await turns.give_back()

    asyncio.run(renew())
    # At first there are no turns; then 25, and eight places for five calls and these.
    assert budget.in_flight == [5, 8]

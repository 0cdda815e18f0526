"""How long the services over HTTP take to answer."""

import asyncio


class Latency:
    """Real time that passes before each answer; the control API changes it for all services at once."""

    def __init__(self, milliseconds: float) -> None:
        self.milliseconds = milliseconds

    async def pass_by(self) -> None:
        """Waits that long."""
        if self.milliseconds:
            await asyncio.sleep(self.milliseconds / 1000)

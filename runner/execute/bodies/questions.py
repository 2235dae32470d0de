"""Questions that gates ask a person: one for all hosts of a step, asked as long as anybody waits for the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from runner.execute.ports import Answer


@dataclass(slots=True)
class _Question:
    task: asyncio.Future[Answer | None]
    waiting: int = 0


class Questions:
    """The questions of a run, by the number of the step that asks."""

    def __init__(self) -> None:
        self._asked: dict[int, _Question] = {}

    async def ask(self, step: int, begin: Callable[[], Awaitable[Answer | None]]) -> Answer | None:
        """The answer; ``begin`` asks where nobody has asked yet. An answer holds for whoever comes later too.

        The question is withdrawn when the last of those that wait gives up.
        """
        question = self._asked.get(step)
        if question is None:
            question = self._asked[step] = _Question(asyncio.ensure_future(begin()))
        question.waiting += 1
        try:
            return await asyncio.shield(question.task)
        finally:
            question.waiting -= 1
            if not question.waiting and not question.task.done():
                question.task.cancel()
                self._asked.pop(step, None)

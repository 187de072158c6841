"""One thread that does what it is given, in order, some steps behind whoever gives it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

_Task = tuple[Callable[..., Any], tuple[Any, ...]]


class Worker:
    """Runs tasks one after another in a thread of its own; ``waiting`` may wait besides the one that runs.

    So whoever calls ``put`` may use again, once it returns, what it gave ``waiting`` + 1 tasks before. An
    exception in a task ends the work: the next ``put``, or leaving the context, raises it. Leaving the
    context by an exception (Ctrl-C is one) waits for the task that runs and for no other. Where no thread can
    be started (there are limits on their number) ``put`` runs each task itself.
    """

    def __init__(self, name: str, waiting: int = 1) -> None:
        self._tasks: queue.Queue[_Task | None] = queue.Queue(maxsize=waiting)
        self._error: BaseException | None = None
        self._given_up = False
        self._started = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Worker:
        with suppress(RuntimeError):
            self._thread.start()
            self._started = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._started:
            return
        self._given_up = error is not None
        self._tasks.put(None)
        self._thread.join()
        if error is None and self._error is not None:
            raise self._error

    def put(self, task: Callable[..., Any], *arguments: Any) -> None:
        """Have ``task`` run after all that were put before; waits while ``waiting`` wait already."""
        if not self._started:
            task(*arguments)
            return
        self._tasks.put((task, arguments))
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (item := self._tasks.get()) is not None:
            if self._error is None and not self._given_up:
                try:
                    item[0](*item[1])
                except BaseException as error:
                    self._error = error

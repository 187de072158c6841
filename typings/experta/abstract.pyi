from collections.abc import Iterable
from typing import Any

from experta.activation import Activation
from experta.agenda import Agenda

class Strategy:
    def update_agenda(
        self, agenda: Agenda, added: Iterable[Activation], removed: Iterable[Activation]
    ) -> None: ...
    def _update_agenda(
        self, agenda: Agenda, added: Iterable[Activation], removed: Iterable[Activation]
    ) -> None: ...

class Matcher:
    engine: Any
    def __init__(self, engine: Any) -> None: ...
    def reset(self) -> None: ...

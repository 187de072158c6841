"""Types of the part of experta 1.9.4 that gopherdx uses; experta itself has none."""

from collections.abc import Callable
from typing import Any

from experta.abstract import Strategy
from experta.agenda import Agenda
from experta.factlist import FactList

__version__: str

class ConditionalElement(tuple[Any, ...]):
    def __new__(cls, *args: Any) -> ConditionalElement: ...

class NOT(ConditionalElement): ...
class TEST(ConditionalElement): ...

class P(ConditionalElement):
    def __init__(self, match: Callable[..., object]) -> None: ...

class W(ConditionalElement):
    def __init__(self, __bind__: str | None = ...) -> None: ...

class Fact(dict[str | int, Any]):
    __factid__: int | None
    __bind__: str | None
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

class InitialFact(Fact): ...

class Rule(ConditionalElement):
    salience: int
    _wrapped: Callable[..., object]
    def __new__(cls, *args: Any, salience: int = ...) -> Rule: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

class KnowledgeEngine:
    __matcher__: type[Any]
    __strategy__: type[Strategy]
    agenda: Agenda
    facts: FactList
    matcher: Any
    def __init__(self) -> None: ...
    def declare(self, *facts: Fact) -> Fact | None: ...
    def reset(self, **kwargs: Any) -> None: ...
    def run(self, steps: float = ...) -> None: ...
    def get_rules(self) -> list[Rule]: ...

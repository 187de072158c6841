from collections.abc import Callable
from typing import Any, NamedTuple

from experta import Fact, Rule
from experta.matchers.rete.token import Token

class ChildNode(NamedTuple):
    node: Any
    callback: Callable[[Token], object]

class Node:
    children: list[ChildNode]
    def __init__(self) -> None: ...

class BusNode(Node):
    def add(self, fact: Fact) -> None: ...
    def remove(self, fact: Fact) -> None: ...

class ConflictSetNode(Node):
    rule: Rule

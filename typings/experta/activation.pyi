from typing import Any

from experta import Fact, Rule

class Activation:
    rule: Rule
    facts: set[Fact]
    key: Any
    context: dict[str, Any]
    def __lt__(self, other: Activation) -> bool: ...

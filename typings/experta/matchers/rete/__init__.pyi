from typing import Any

from experta.abstract import Matcher
from experta.matchers.rete.nodes import BusNode, ConflictSetNode

class ReteMatcher(Matcher):
    root_node: BusNode
    def __init__(self, engine: Any) -> None: ...
    def build_network(self) -> None: ...
    def _get_conflict_set_nodes(self) -> tuple[ConflictSetNode, ...]: ...

from typing import Any, ClassVar

class FactCapture:
    _instances: ClassVar[dict[str, Any]]

class SameContextCheck:
    def __init__(self) -> None: ...

class WhereCheck:
    def __init__(self, test: Any) -> None: ...

from typing import Any, ClassVar

class FactCapture:
    _instances: ClassVar[dict[str, Any]]

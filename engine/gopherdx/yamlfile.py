"""YAML files read field by field, so that an error names the file and the field that is wrong.

Plain Python, no validation library: the schemas are small, and a start must not wait 0.15 s for an import.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from importlib.resources.abc import Traversable
from string import Formatter
from typing import Final, NoReturn, TypeGuard, TypeVar

from gopherdx.errors import KnowledgeBaseError
from gopherdx.model import Kind

T = TypeVar("T")

KINDS: Final = tuple(kind.value for kind in Kind)


def read_yaml(file: Traversable) -> object:
    import yaml

    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeBaseError(f"cannot be read ({error})", where=str(file)) from error
    try:
        # The C parser is ten times as fast; a PyYAML built without it has only the other.
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or str(error)
        raise KnowledgeBaseError(f"this is not YAML: {what}", where=f"{file}{line}") from error


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number (a bool is none)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Node:
    """A mapping of a YAML file that knows where it lies and which of its keys were read."""

    def __init__(self, value: object, file: str, path: str = "") -> None:
        self.file, self.path = file, path
        if not isinstance(value, dict):
            raise KnowledgeBaseError(f"{path or 'the file'} must hold keys with values", where=file)
        self.values = value
        self.read: set[object] = set()

    def refuse(self, key: str, what: str, todo: str = "") -> NoReturn:
        raise KnowledgeBaseError(f"{self._at(key)}: {what}", where=self.file, todo=todo)

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def close(self) -> None:
        """Every key was meant to be read: one that was not is a misspelling."""
        for key in self.values:
            if key not in self.read:
                self.refuse(str(key), "is no field here")

    def take(self, key: str, kind: type[T] | tuple[type[T], ...], what: str, default: T | None = None) -> T:
        self.read.add(key)
        value = self.values.get(key)
        if value is None:
            if default is None:
                self.refuse(key, "is missing")
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.refuse(key, f"must be {what}, not {value!r}")
        return value

    def text(
        self, key: str, *, like: str = "", among: Sequence[str] = (), empty: bool = False, hint: str = ""
    ) -> str:
        value = self.take(key, str, "a text", default="" if empty else None).strip()
        if not value and not empty:
            self.refuse(key, "is empty")
        if like and not re.fullmatch(like, value):
            self.refuse(key, f"{value!r} does not look like one", hint)
        if among and value not in among:
            self.refuse(key, f"must be one of {', '.join(among)}, not {value!r}")
        return value

    def optional_text(self, key: str, *, like: str = "", hint: str = "") -> str | None:
        self.read.add(key)
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse(key, f"must be a text, not {value!r}", hint)
        return self.text(key, like=like, hint=hint)

    def texts(self, key: str, among: Sequence[str] | None = None) -> tuple[str, ...]:
        values = self.take(key, list, "a list of texts", default=[])
        for value in values:
            if not isinstance(value, str):
                self.refuse(key, f"must hold texts, not {value!r}")
            if among is not None and value not in among:
                self.refuse(key, f"{value!r} is none of {', '.join(among) or 'nothing'}")
        return tuple(values)

    def optional_texts(self, key: str) -> tuple[str, ...]:
        """One text, a list of texts, or nothing."""
        self.read.add(key)
        value = self.values.get(key)
        return (self.text(key),) if isinstance(value, str) else self.texts(key)

    def kind_sets(self, key: str) -> tuple[tuple[str, ...], ...]:
        sets = self.take(key, list, "a list of lists of kinds of artifact")
        for kinds in sets:
            if not isinstance(kinds, list) or not kinds:
                self.refuse(key, f"must hold lists of kinds, not {kinds!r}")
            for kind in kinds:
                if kind not in KINDS:
                    self.refuse(key, f"{kind!r} is none of {', '.join(KINDS)}")
        return tuple(tuple(kinds) for kinds in sets)

    def flag(self, key: str) -> bool:
        return self.take(key, bool, "true or false")

    def number(self, key: str) -> float:
        return float(self.take(key, (int, float), "a number"))

    def share(self, key: str) -> float:
        value = self.number(key)
        if not 0 < value < 1:
            self.refuse(key, f"must lie between 0 and 1, not {value!r}")
        return value

    def scalar(self, key: str) -> str | bool | float:
        self.read.add(key)
        value = self.values.get(key)
        if not isinstance(value, (str, bool, int, float)):
            self.refuse(key, f"must be a text, a number, true or false, not {value!r}")
        return value

    def limit(self, key: str, limits: Mapping[str, float]) -> float:
        name = self.text(key)
        if name not in limits:
            self.refuse(key, f"there is no threshold {name!r}")
        return limits[name]

    def only(self, keys: Sequence[str]) -> str:
        given = [key for key in keys if key in self.values]
        if len(given) != 1 or len(self.values) != 1:
            self.refuse("", f"needs exactly one of {', '.join(keys)}")
        return given[0]

    def template(self, key: str, limits: Mapping[str, float]) -> str:
        """A format string whose fields are observations (with a dot in their name), thresholds or places."""
        text = self.text(key)
        try:
            fields = [(name, spec) for _, name, spec, _ in Formatter().parse(text) if name is not None]
        except ValueError as error:
            self.refuse(key, f"{error}")
        for name, _ in fields:
            if "." not in name and name not in {"function", "place", "value", *limits}:
                self.refuse(key, f"{{{name}}} is no observation, threshold, function, place or value")
        return text

    def templates(self, key: str, limits: Mapping[str, float]) -> tuple[str, ...]:
        """One format string, or a list of them of which the first is used whose values all exist."""
        given = self.values.get(key)
        if not isinstance(given, list):
            return (self.template(key, limits),)
        self.read.add(key)
        if not given:
            self.refuse(key, "is empty")
        nodes = [Node({key: text}, self.file, f"{self._at(key)}[{i}]") for i, text in enumerate(given)]
        return tuple(node.template(key, limits) for node in nodes)

    def node(self, key: str) -> Node:
        self.read.add(key)
        return Node(self.values.get(key, {}), self.file, self._at(key))

    def maybe(self, key: str, build: Callable[[Node], T]) -> T | None:
        self.read.add(key)
        return None if self.values.get(key) is None else closed(self.node(key), build)

    def some(self, key: str, build: Callable[[Node], T]) -> tuple[T, ...]:
        """What one mapping says, or each of a list of them; nothing where the key is missing."""
        if isinstance(self.values.get(key), list):
            return self.each(key, build)
        one = self.maybe(key, build)
        return () if one is None else (one,)

    def table(self, key: str) -> dict[str, Node]:
        self.read.add(key)
        inner = Node(self.values.get(key) or {}, self.file, self._at(key))
        return {
            str(name): Node(value, self.file, inner._at(str(name))) for name, value in inner.values.items()
        }

    def each(self, key: str, build: Callable[[Node], T]) -> tuple[T, ...]:
        values = self.take(key, list, "a list")
        nodes = [Node(value, self.file, f"{self._at(key)}[{i}]") for i, value in enumerate(values)]
        return tuple(closed(node, build) for node in nodes)


def closed(node: Node, build: Callable[[Node], T]) -> T:
    built = build(node)
    node.close()
    return built

"""What can go wrong, each with what it was, where, and what to do; and the exit code it ends in.

The library raises these and nothing else on purpose; ``gopherdx_cli`` maps them to exit codes.
"""

from __future__ import annotations


class GopherdxError(Exception):
    """Base of every error that gopherdx raises on purpose.

    ``what`` is the failure, ``where`` the file, flag or line it concerns, ``todo`` the next step for the
    person who reads it. ``str(error)`` is the one sentence that a terminal shows.
    """

    exit_code = 70

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        self.what = what
        self.where = where
        self.todo = todo
        super().__init__(what)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}; {self.todo}" if self.todo else head


class UnreadableInput(GopherdxError):
    """A file, folder or stream that the user named cannot be read as what it should be."""

    exit_code = 2


class UsageError(GopherdxError):
    """The command or call itself is off: a flag, an id, a combination."""

    exit_code = 2


class KnowledgeBaseError(GopherdxError):
    """An archetype folder breaks the rules of archetype folders (schema, thresholds, names)."""

    exit_code = 2

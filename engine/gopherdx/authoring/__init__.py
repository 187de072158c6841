"""For authors of archetypes: ``check`` judges a folder, ``new`` makes one."""

from __future__ import annotations

from gopherdx.authoring.check import Problem, archetypes_in, check, check_together, go_command
from gopherdx.authoring.new import new

__all__ = ["Problem", "archetypes_in", "check", "check_together", "go_command", "new"]

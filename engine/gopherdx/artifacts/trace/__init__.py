"""Execution traces: ``read_trace`` turns a file or stream into a ``Trace`` of folded tables."""

from gopherdx.artifacts.trace.reader import read_trace
from gopherdx.artifacts.trace.tables import Trace

__all__ = ["Trace", "read_trace"]

"""A warm process: diagnoses each trace whose path comes on stdin; prints seconds and peak memory in bytes."""

from __future__ import annotations

import resource
import sys
import time

from gopherdx import diagnose


def main() -> None:
    for line in sys.stdin:
        begin = time.perf_counter()
        diagnose(trace=line.rstrip("\n"))
        seconds = time.perf_counter() - begin
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, flush=True)


if __name__ == "__main__":
    main()

"""Reads damaged traces until its time is over; run as a program, so that numba can be told to check bounds.

    python fuzz_traces.py SEED SECONDS FOLDER TRACE…

Prints how many it read. A case that ends in anything but a trace or ``UnreadableInput`` stays in FOLDER, and
so does one that takes longer than ``LIMIT_S`` (then the process ends with a traceback of all threads).
"""

from __future__ import annotations

import faulthandler
import io
import random
import sys
import time
import traceback
from pathlib import Path

from gopherdx.artifacts.trace import container, read_trace
from gopherdx.errors import UnreadableInput
from tests.support.old_traces import worse_events
from tests.support.traces import worse_batches, worse_bytes

LIMIT_S = 20
KEPT = container.KEPT, container.CHUNK
OLD = (b"go 1.11 ", b"go 1.19 ", b"go 1.21 ")


def main(seed: int, seconds: float, folder: Path, seeds: list[bytes]) -> int:
    rnd = random.Random(seed)
    for data in seeds:
        read_trace(io.BytesIO(data))  # compiles
    case = folder / f"case-{seed}.out"
    cases = whole = failed = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        trace = rnd.choice(seeds)
        whole_pieces = worse_events if trace.startswith(OLD) else worse_batches
        worse = whole_pieces if rnd.random() < 0.6 else worse_bytes
        data = worse(trace, rnd)
        case.write_bytes(data)
        cases += 1
        # Half of them with every generation left in the file.
        container.KEPT, container.CHUNK = rnd.choice((KEPT, (0, 1 << 12)))
        faulthandler.dump_traceback_later(LIMIT_S, exit=True)
        try:
            read_trace(io.BytesIO(data))
            whole += 1
        except UnreadableInput:
            pass
        except Exception:
            failed += 1
            (folder / f"failed-{seed}-{failed}.out").write_bytes(data)
            traceback.print_exc()
        faulthandler.cancel_dump_traceback_later()
    case.unlink(missing_ok=True)
    print(f"{cases} cases, {whole} read, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(
        main(
            int(sys.argv[1]),
            float(sys.argv[2]),
            Path(sys.argv[3]),
            [Path(p).read_bytes() for p in sys.argv[4:]],
        )
    )

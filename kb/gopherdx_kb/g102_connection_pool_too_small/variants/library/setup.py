"""A PostgreSQL server for as long as standard input is open.

    setup.py      prints DATABASE_URL=… when the server answers; ends it when its input ends

The cluster lies in a temporary folder and listens on a socket there, on no port. PostgreSQL refuses to run as
root: then it runs as the user "postgres", or "nobody" where there is none.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def binaries() -> Path | None:
    """The folder of initdb and postgres, of the newest version installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(installed, key=lambda f: float(f.parts[-3]), default=None)
    return newest.parent if newest else None


def other_user() -> pwd.struct_passwd | None:
    """Whom the server runs as; None: as whoever runs this."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def serve(bin_: Path, folder: Path) -> None:
    """Start the server in the folder, tell its address, and end it with the input."""
    user = other_user()
    as_user: dict[str, Any] = {"cwd": folder}
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data = folder / "data"
    made = subprocess.run(
        [bin_ / "initdb", "-D", data, "-U", "lab", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8"],
        capture_output=True, text=True, check=False, **as_user,
    )  # fmt: skip
    if made.returncode != 0:
        sys.exit(f"initdb: {made.stderr.strip()}")
    settings = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = subprocess.Popen([bin_ / "postgres", "-D", data, *options], stderr=subprocess.DEVNULL, **as_user)
    try:
        if not answers(bin_, folder, server):
            sys.exit("the server does not start")
        sys.stdout.write(f"DATABASE_URL=host={folder} user=lab dbname=postgres sslmode=disable\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        server.send_signal(2)  # fast shutdown: sessions are ended
        server.wait(timeout=30)


def answers(bin_: Path, folder: Path, server: subprocess.Popen[bytes]) -> bool:
    """Whether the server takes connections, within 30 seconds."""
    until = time.monotonic() + 30
    while time.monotonic() < until and server.poll() is None:
        asked: list[str | Path] = [bin_ / "pg_isready", "-q", "-h", folder]
        if subprocess.run(asked, check=False).returncode == 0:
            return True
        time.sleep(0.1)
    return False


def main() -> None:
    """Serve until standard input ends."""
    bin_ = binaries()
    if bin_ is None:
        sys.exit("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="gopherdx-pg-") as folder:
        serve(bin_, Path(folder))


if __name__ == "__main__":
    main()

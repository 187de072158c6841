"""gopherdx doctor: whether everything is there that gopherdx needs or can use."""

from __future__ import annotations

from gopherdx_cli.output import write_stdout


def doctor() -> None:
    """Show what gopherdx runs on.

    Versions of Python and of the libraries, whether the kernels that read traces are compiled, and the
    Go toolchain if there is one.
    """
    from gopherdx.doctor import examine

    checks = examine()
    width = max(len(check.name) for check in checks)
    write_stdout("".join(f"{'ok' if c.ok else '--'}  {c.name.ljust(width)}  {c.text}\n" for c in checks))

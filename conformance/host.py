"""A Millrace of the suite's own: on embedded storage in one process, or as a cluster on Kafka, PostgreSQL, Redis and S3."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOOTSTRAP = str(ROOT / "scripts" / "bootstrap.mjs")
COMMANDS = {"all-in-one": "start", "cluster": "cluster"}
PORTS = {
    "all-in-one": {"PORT": "18480"},
    "cluster": {
        "PORT": "18490",
        "CLUSTER_BASE_PORT": "18500",
        "MILLRACE_KAFKA_PORT": "18520",
        "MILLRACE_POSTGRES_PORT": "18530",
        "MILLRACE_REDIS_PORT": "18531",
        "MILLRACE_S3_PORT": "18532",
    },
}
READY_SECONDS = 300
# The other members of a cluster are started again by its supervisor; these are the ones that a client's call needs.
KILLED_MEMBERS = ("tracking-", "registry-", "gateway-1")


@dataclass
class Host:
    kind: str
    data: str
    environment: dict

    @classmethod
    def plan(cls, kind: str, work: Path) -> "Host":
        own = {name: os.environ.get(f"CONFORMANCE_{name}", port) for name, port in PORTS[kind].items()}
        own |= {"MILLRACE_DATA": str(work / "data"), "MILLRACE_SKIP_SAMPLE": "true"}
        if kind == "cluster":
            own |= {"MILLRACE_INFRA_DIR": str(work / "infra")}
        return cls(kind, str(work / "data"), own)

    @classmethod
    def load(cls, path: str) -> "Host":
        return cls(**json.loads(Path(path).read_text()))

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    @property
    def log(self) -> Path:
        return Path(self.data).parent / "host.log"

    def run(self, *command: str, check: bool = True) -> None:
        subprocess.run(["node", BOOTSTRAP, *command], cwd=ROOT, env=os.environ | self.environment, check=check, capture_output=True)

    def start(self) -> None:
        """@raises RuntimeError with the log when it ends early or is not ready in time"""
        Path(self.data).mkdir(parents=True, exist_ok=True)
        before = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            process = subprocess.Popen(
                ["node", BOOTSTRAP, COMMANDS[self.kind]],
                cwd=ROOT,
                env=os.environ | self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while "Ready." not in self.log.read_text()[before:]:
            if process.poll() is not None or time.monotonic() > deadline:
                end(process)
                raise RuntimeError(f"{self.kind} did not become ready:\n{self.log.read_text()[before:]}")
            time.sleep(0.2)

    def pid(self) -> int:
        return json.loads((Path(self.data) / "runtime.json").read_text())["pid"]

    def kill(self) -> None:
        """SIGKILL to what a client's calls go through. A cluster starts its members again by itself; start the other host again with `start`."""
        for pid in [self.pid()] if self.kind == "all-in-one" else self.member_pids():
            os.kill(pid, signal.SIGKILL)

    def member_pids(self) -> list:
        members = json.loads((Path(self.data) / "cluster" / "processes.json").read_text())
        return [member["pid"] for name, member in members.items() if name.startswith(KILLED_MEMBERS)]

    def come_back(self) -> None:
        if self.kind == "all-in-one":
            wait_until(lambda: not self.answers("/health"))
            self.start()
        wait_until(lambda: self.answers("/ready"))

    def answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(self.url + path, timeout=2) as response:
                return response.status == 200
        except OSError:
            return False

    def stop(self) -> None:
        self.run("stop", check=False)
        if self.kind == "cluster":
            self.run("infra", "down", check=False)


def end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def wait_until(holds, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not happen in {seconds} s")
        time.sleep(0.2)

"""Starts a Millrace, plays the suite against it, and stops it again. See README.md."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import environment
from host import COMMANDS, ROOT, Host

HERE = Path(__file__).resolve().parent
WORKERS = os.environ.get("CONFORMANCE_WORKERS", "3")
USAGE = f"python3 conformance/run.py {'|'.join(COMMANDS)}|<tracking URI> [arguments of pytest]"


def main(target: str, *arguments: str) -> int:
    python = environment.prepare()
    print(f"TensorFlow: {'installed, its tests run' if environment.has_tensorflow(python) else 'not installed, its tests are left out'}")
    work = Path(tempfile.mkdtemp(prefix="millrace-conformance-"))
    work.chmod(0o755)
    host = Host.plan(target, work) if target in COMMANDS else None
    try:
        if host:
            host.save(work / "host.json")
            host.start()
        uri = host.url if host else target
        return play(python, uri, work, host, arguments)
    finally:
        if host:
            host.stop()
        if not os.environ.get("CONFORMANCE_KEEP"):
            shutil.rmtree(work, ignore_errors=True)


def play(python: Path, uri: str, work: Path, host: Host | None, arguments: tuple) -> int:
    """Everything side by side, then what kills the host, by itself."""
    env = os.environ | {"MLFLOW_TRACKING_URI": uri, "GIT_PYTHON_REFRESH": "quiet", "PYTHONDONTWRITEBYTECODE": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    env |= {"MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    if host:
        env |= {"CONFORMANCE_HOST": str(work / "host.json")}
    phases = {"flows": ["-m", "not restarts", "-n", WORKERS], "restarts": ["-m", "restarts"]}
    # While nothing is killed, no call may need a second try.
    retries = {"flows": {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}, "restarts": {}}
    if not host:
        del phases["restarts"]
    reports = []
    for name, chosen in phases.items():
        report = work / f"{name}.xml"
        command = [str(python), "-m", "pytest", *chosen, f"--junitxml={report}", f"--basetemp={work / name}", *arguments]
        subprocess.run(command, cwd=HERE, env=env | retries[name])
        reports.append(report)
    return count(reports, host)


def count(reports: list, host: Host | None) -> int:
    """Prints what became of the tests. One that was left out for want of anything but TensorFlow counts as failed."""
    passed = failed = left_out = 0
    for report in reports:
        if not report.exists():
            failed += 1
            continue
        for case in ElementTree.parse(report).iter("testcase"):
            skipped = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif skipped is None:
                passed += 1
            elif "tensorflow" in skipped.get("message", ""):
                left_out += 1
            else:
                failed += 1
                print(f"left out: {case.get('classname')}::{case.get('name')}: {skipped.get('message')}")
    if failed and host:
        tell_logs(host)
    print(f"      Tests  {failed} failed | {passed} passed | {left_out} left out (conformance, {host.kind if host else 'given server'})")
    return 1 if failed or not passed else 0


def tell_logs(host: Host) -> None:
    """The end of what the host and its services said."""
    data = Path(host.data)
    for log in [host.log, data / "millrace.log", *sorted(data.glob("cluster/logs/*.log"))]:
        if log.exists():
            print(f"\n--- the end of {log.name}:\n{log.read_text(errors='replace')[-4000:]}")


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(USAGE)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.chdir(ROOT)
    sys.exit(main(*sys.argv[1:]))

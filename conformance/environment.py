"""The Python environment of the suite: made once for each set of requirements, outside the checkout."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLIENT = HERE / "requirements.txt"
TENSORFLOW = HERE / "tensorflow.txt"


def folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(sys.version.encode() + CLIENT.read_bytes() + TENSORFLOW.read_bytes()).hexdigest()[:16]
    return cache / "millrace" / f"python-{digest}"


def prepare() -> Path:
    """Gives the interpreter, after installing what is missing; processes that come at the same time wait for the first."""
    home = folder()
    home.parent.mkdir(parents=True, exist_ok=True)
    python = home / "bin" / "python"
    with open(f"{home}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            install(home, python)
            (home / "complete").touch()
    return python


def install(home: Path, python: Path) -> None:
    print(f"Installing the Python client (once) into {home}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    subprocess.run([*pip, "-r", str(CLIENT)], check=True)
    if subprocess.run([*pip, "-r", str(TENSORFLOW)]).returncode != 0:
        print("TensorFlow does not install on this machine: its tests are left out.", flush=True)


def has_tensorflow(python: Path) -> bool:
    return subprocess.run([str(python), "-c", "import tensorflow"], capture_output=True).returncode == 0


if __name__ == "__main__":
    print(prepare())

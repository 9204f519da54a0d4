"""A machine to install on: this one's files under a layer that is thrown away, booted by systemd in a container."""

import os
import socket
import subprocess
from pathlib import Path

# The layer is in memory. What this machine starts at boot (a database, say) is not started there.
BOOT = r"""
set -eu
cd "$1"
mount -t tmpfs layer . && cd "$1"
mkdir upper work root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" root
# This one's name; and what forbids services to start, in images that have no systemd.
rm -f root/etc/machine-id root/usr/sbin/policy-rc.d
exec systemd-nspawn --quiet --register=no --keep-unit --link-journal=no --resolv-conf=off --notify-ready=yes \
  --directory="$1/root" --console=pipe --boot -- systemd.unit=basic.target
"""


class Machine:
    def __init__(self, folder: Path):
        self._folder = folder
        self._talk = folder.with_suffix(".log")

    def __enter__(self):
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = self._folder.with_suffix(".notify")
        told.bind(str(address))
        told.settimeout(60)
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", BOOT, "boot", str(self._folder)]
        with open(self._talk, "wb") as talk:
            self._container = subprocess.Popen(
                command,
                env={**os.environ, "NOTIFY_SOCKET": str(address)},
                stdin=subprocess.DEVNULL,
                stdout=talk,
                stderr=subprocess.STDOUT,
            )
        try:
            self._await(told)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _await(self, told):
        """Until systemd has booted; its process is the door to the machine."""
        facts = {}
        while facts.get("READY") != "1":
            try:
                lines = told.recv(4096).decode().split()
            except TimeoutError:
                raise AssertionError(f"the machine did not boot:\n{self._talk.read_text()}") from None
            facts.update(line.split("=", 1) for line in lines if "=" in line)
        self._leader = facts["X_NSPAWN_LEADER_PID"]

    def __exit__(self, *_):
        # With it everything in the machine ends, and the layer is gone.
        leader = getattr(self, "_leader", None)
        subprocess.run(["kill", "-KILL", leader] if leader else ["true"], check=False)
        self._container.terminate()
        self._container.wait(timeout=30)

    def run(self, *command, fails=False, put=None):
        """What a command of root prints there; it may fail only where that is expected."""
        door = ["nsenter", "--target", self._leader, "--all", "env", "--chdir=/", "--ignore-environment"]
        ran = subprocess.run(
            [*door, "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", *command],
            input=put if put is not None else b"",
            capture_output=True,
            timeout=120,
        )
        said = (ran.stdout + ran.stderr).decode()
        assert (ran.returncode != 0) == fails, f"{' '.join(command)} ended with {ran.returncode}:\n{said}"
        return said

    def put(self, path, content: bytes, owner="root", group="root", mode="0644"):
        """A file there."""
        self.run("install", f"--owner={owner}", f"--group={group}", f"--mode={mode}", "/dev/stdin", path, put=content)

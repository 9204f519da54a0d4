"""The images and the Compose files. Nothing is pulled: an image's command is run here as the image and Compose would run it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from compose_spec import PyCompose

from conftest import ROOT, Program, call
from here import Here

DEPLOY = ROOT / "deploy"
IMAGES = sorted(DEPLOY.glob("*.Dockerfile"))
COMPOSE = sorted(DEPLOY.glob("compose*.yaml"))


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.name)
def test_hadolint_has_nothing_to_say(image):
    hadolint = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run([hadolint, "--no-color", "--failure-threshold=style", image], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("file", COMPOSE, ids=lambda path: path.name)
def test_compose_files_are_of_its_specification(file):
    # Anchors and `<<` are YAML's; each name that is left is one of Compose.
    said = yaml.safe_load(file.read_text())
    PyCompose.from_json(json.dumps(said)).validate()
    for name, service in said["services"].items():
        if build := service.get("build"):
            assert (DEPLOY / build["context"] / build["dockerfile"]).is_file(), name
        for volume in service.get("volumes", []):
            source = volume["source"] if isinstance(volume, dict) else volume.split(":")[0]
            known = source in said["volumes"] or Path(source).name in ("suanpan.toml", "keys", "haproxy.cfg")
            assert known, f"{name} mounts {source}"


def test_nodes_ask_for_databases_that_are_there():
    services = yaml.safe_load((DEPLOY / "compose.ha.yaml").read_text())["services"]
    for name in ("suanpan-1", "suanpan-2"):
        hosts = re.search("@(.*)/", services[name]["environment"]["SUANPAN_DATABASE__URL"])[1]
        assert {host.split(":")[0] for host in hosts.split(",")} == {name for name in services if name.startswith("db-")}


def test_the_image_as_compose_runs_it_takes_a_payment_and_knows_its_health(binary, simulator, tmp_path):
    image = Image(DEPLOY / "suanpan.Dockerfile")
    assert image.user == "10001"
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["suanpan"]
    volume = tmp_path / "volume"
    volume.mkdir()
    here = Here(binary, {"/etc/suanpan": tmp_path, "/var/lib/suanpan": volume})
    # What Compose mounts there.
    os.symlink(simulator.data / "keys", tmp_path / "keys")
    (tmp_path / "suanpan.toml").write_text(simulator.config)

    environment = here.environment({**image.environment, **service["environment"]})
    healthy = lambda: subprocess.run(here.command(image.health)).returncode == 0
    assert not healthy()
    with Program(here.command(image.command), env={**os.environ, **environment}) as program:
        assert healthy()
        url = f"http://127.0.0.1:{here.port}"
        assert simulator.pays(url, program.ready["api_key"], "container-1")["status"] == "paid"
        assert call(f"{url}/readyz")["status"] == "ready"
    assert program.exit == 0
    assert not healthy()
    assert (volume / "suanpan.db").is_file()


class Image:
    """The last stage of a Dockerfile."""

    def __init__(self, path):
        lines = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.M)).splitlines()
        first = max(number for number, line in enumerate(lines) if line.startswith("FROM "))
        said = [line.split(" ", 1) for line in lines[first:] if line]
        last = dict(said)
        self.user, self.command = last["USER"], json.loads(last["CMD"])
        self.health = json.loads(last["HEALTHCHECK"].split("CMD ", 1)[1])
        self.environment = dict(pair.split("=", 1) for pair in last["ENV"].split())

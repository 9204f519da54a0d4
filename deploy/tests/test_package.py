"""The Debian package: what is in it, and its life on a machine that runs systemd."""

import json
import re
import subprocess

import pytest

from conftest import ROOT, call, is_read

PURGED = "is kept, with your orders or keys"


@pytest.fixture(scope="module")
def package(binary, tmp_path_factory):
    """Packed as a release is, but with light compression and without the lines of backtraces."""
    folder = tmp_path_factory.mktemp("deb")
    quick = ["--fast", "--strip", "--no-dbgsym"]
    subprocess.run(
        ["cargo", "deb", "--quiet", "--no-build", "--locked", "--package", "suanpan", *quick, "--output", folder],
        cwd=ROOT,
        check=True,
    )
    (package,) = folder.glob("suanpan_*.deb")
    return package


def test_it_says_of_itself_what_is_true(package, binary):
    field = lambda name: output("dpkg-deb", "--field", str(package), name).strip()
    version = output(binary, "--version").split()[1]
    assert field("Package") == "suanpan"
    # The changelog that is packed begins with the same version.
    assert f"{field('Version')})" in (ROOT / "deploy/deb/changelog").read_text().split("\n")[0]
    assert field("Version").split("-")[0] == version
    # Debian 12 and newer; docs/operations/deploy.md names the C library.
    assert re.search(r"libc6 \(>= 2\.(2\d|3[0-6])\)", field("Depends"))


def test_lintian_has_nothing_to_say(package):
    output("lintian", "--allow-root", "--fail-on", "error,warning", str(package))


def test_what_its_configuration_has_in_comments_is_one(binary, tmp_path):
    packed = (ROOT / "deploy/deb/suanpan.toml").read_text()
    (tmp_path / "suanpan.toml").write_text(re.sub(r"^# ( *(\[\[|\w+ = ).*)", r"\1", packed, flags=re.M))
    assert "[[merchants.apps]]" in (tmp_path / "suanpan.toml").read_text().splitlines()[-3]
    is_read(binary, tmp_path / "suanpan.toml")


def test_no_file_of_a_developer_is_in_it(package):
    listed = output("dpkg-deb", "--contents", str(package)).splitlines()
    files = {line.split()[-1][1:]: line.split()[0] for line in listed if not line.endswith("/")}
    assert set(files) == {
        "/etc/suanpan/suanpan.toml",
        "/usr/bin/suanpan",
        "/usr/lib/systemd/system/suanpan.service",
        "/usr/lib/sysusers.d/suanpan.conf",
        "/usr/share/doc/suanpan/CHANGELOG.md",
        "/usr/share/doc/suanpan/README.en.md",
        "/usr/share/doc/suanpan/README.md",
        "/usr/share/doc/suanpan/changelog.Debian.gz",
        "/usr/share/doc/suanpan/config.default.toml",
        "/usr/share/doc/suanpan/copyright",
        "/usr/share/lintian/overrides/suanpan",
    }
    assert files["/etc/suanpan/suanpan.toml"] == "-rw-r-----"


def test_the_unit_is_sound_and_gives_nothing_away(machine, package):
    machine.put("/tmp/suanpan.deb", package.read_bytes())
    machine.run("dpkg", "--install", "/tmp/suanpan.deb")
    said = machine.run("systemd-analyze", "verify", "--man=no", "/usr/lib/systemd/system/suanpan.service")
    assert "suanpan" not in said, said
    # Ten times the mark, of which 0 is the best.
    machine.run("systemd-analyze", "security", "--no-pager", "--threshold=15", "suanpan.service")


def test_it_is_installed_started_paid_with_upgraded_and_purged(machine, package, simulator):
    machine.put("/tmp/suanpan.deb", package.read_bytes())
    machine.run("dpkg", "--purge", "suanpan")

    # Installed: there, but at rest, since nobody has named a merchant.
    machine.run("dpkg", "--install", "/tmp/suanpan.deb")
    assert machine.run("stat", "--format=%U:%G %a", "/etc/suanpan").split() == ["root:suanpan", "750"]
    assert machine.run("stat", "--format=%U:%G %a", "/etc/suanpan/suanpan.toml").split() == ["root:suanpan", "640"]
    assert machine.run("getent", "passwd", "suanpan").strip().endswith(":/var/lib/suanpan:/usr/sbin/nologin")
    assert machine.run("systemctl", "is-enabled", "suanpan", fails=True).strip() == "disabled"
    serve = ["suanpan", "serve", "--config", "/etc/suanpan/suanpan.toml", "--listen", "127.0.0.1:0"]
    said = machine.run("runuser", "-u", "suanpan", "--", *serve, fails=True)
    assert "there is no merchant account" in said

    # With a merchant it takes money, in all the bonds of its unit.
    configure(machine, simulator)
    machine.run("systemctl", "enable", "--now", "suanpan")
    ready = first_line(machine)
    paid = simulator.pays(ready["url"], ready["api_key"], "deb-1")
    assert paid["status"] == "paid"
    assert machine.run("stat", "--format=%U %a", "/var/lib/suanpan", "/var/lib/suanpan/suanpan.db").split() == ["suanpan", "700", "suanpan", "600"]

    # Reloaded: the same process, and it takes money.
    process = lambda: machine.run("systemctl", "show", "--property=MainPID", "suanpan")
    before = process()
    machine.run("systemctl", "reload", "suanpan")
    assert simulator.pays(ready["url"], ready["api_key"], "deb-2")["status"] == "paid"
    assert process() == before

    # Put in once more, as an upgrade does: it was restarted, the owner's file and the orders are as they were.
    machine.run("chmod", "0600", "/etc/suanpan/suanpan.toml")
    machine.run("chown", "suanpan:suanpan", "/etc/suanpan/suanpan.toml")
    machine.run("dpkg", "--install", "/tmp/suanpan.deb")
    assert process() != before
    assert machine.run("stat", "--format=%U %a", "/etc/suanpan/suanpan.toml").split() == ["suanpan", "600"]
    url = first_line(machine)["url"]
    assert call(f"{url}/miniprogram/orders/{paid['id']}")["status"] == "paid"

    # Removed: stopped, and what was set is kept.
    machine.run("dpkg", "--remove", "suanpan")
    assert machine.run("systemctl", "is-active", "suanpan", fails=True).strip() == "inactive"
    machine.run("test", "-f", "/etc/suanpan/suanpan.toml")

    # Purged: what was set is gone, and what was paid is not.
    said = machine.run("dpkg", "--purge", "suanpan")
    assert f"/var/lib/suanpan {PURGED}" in said and f"/etc/suanpan {PURGED}" in said
    machine.run("test", "!", "-e", "/etc/suanpan/suanpan.toml")
    machine.run("test", "-f", "/etc/suanpan/keys.tar")
    machine.run("test", "-f", "/var/lib/suanpan/suanpan.db")


def configure(machine, simulator):
    """The simulator's merchants, with their keys where the package wants them."""
    keys = subprocess.run(["tar", "--create", "keys"], cwd=simulator.data, check=True, capture_output=True).stdout
    machine.put("/etc/suanpan/keys.tar", keys)
    machine.run("tar", "--extract", "--file=/etc/suanpan/keys.tar", "--directory=/etc/suanpan")
    machine.run("chown", "--recursive", "root:suanpan", "/etc/suanpan/keys")
    machine.run("chmod", "--recursive", "u=rwX,g=rX,o=", "/etc/suanpan/keys")
    config = simulator.config.replace("127.0.0.1:8080", "127.0.0.1:0")
    config = config.replace("sqlite:suanpan.db", "sqlite:/var/lib/suanpan/suanpan.db")
    machine.put("/etc/suanpan/suanpan.toml", config.encode(), group="suanpan", mode="0640")


def first_line(machine):
    """What the service that runs now said when it was ready."""
    run = machine.run("systemctl", "show", "--property=InvocationID", "--value", "suanpan").strip()
    follow = f"journalctl --follow --lines=all --output=cat _SYSTEMD_INVOCATION_ID={run} | grep --max-count=1 '\"ready\":true'"
    return json.loads(machine.run("timeout", "30", "bash", "-c", follow).strip())


def output(*command):
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, f"{' '.join(command)} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}"
    return ran.stdout

"""The Helm chart: linted and rendered by Helm's own code, held against the schemas of Kubernetes, and its containers run."""

import os
import re
import subprocess
import urllib.request

import helm_python as helm
import kubernetes_validate
import pytest
import yaml

from conftest import ROOT, Program, is_read
from here import Here

CHART = ROOT / "deploy/helm/suanpan"
EVERYTHING = {
    "image": {"repository": "registry.example/suanpan", "tag": "1.2.3", "pullSecrets": [{"name": "pull"}]},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"nginx.ingress.kubernetes.io/proxy-next-upstream": "off"},
        "tlsSecret": "pay-tls",
    },
    "service": {"annotations": {"a.example/b": "c"}},
    "autoscaling": {"enabled": True},
    "networkPolicy": {"enabled": True, "extraEgress": [{"ports": [{"port": 8443}]}]},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "podAnnotations": {"a.example/b": "c"},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "pay", "operator": "Exists"}],
}
# The oldest that Chart.yaml names, and the newest whose schemas we have.
VERSIONS = ["1.27", kubernetes_validate.latest_version()]


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["plain", "everything"])
def test_helm_has_nothing_to_say(values):
    report = helm.lint(CHART, values, strict=True)
    # It would like a picture.
    messages = [each for each in report["messages"] if each["error"] != "icon is recommended"]
    assert not messages and not report["errors"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["plain", "everything"])
def test_kubernetes_knows_every_field(values, version):
    for each in render(values).values():
        # Of the Prometheus Operator: Kubernetes has no schema of it.
        if each["kind"] != "ServiceMonitor":
            kubernetes_validate.validate(each, version, strict=True)


def test_what_can_be_turned_on_is_there_then():
    assert set(render({})) == {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"}
    extra = {"HorizontalPodAutoscaler", "Ingress", "NetworkPolicy", "ServiceMonitor"}
    assert set(render(EVERYTHING)) == set(render({})) | extra


def test_everything_finds_the_nodes_by_their_labels():
    objects = render(EVERYTHING)
    node = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    spec = lambda kind: objects[kind]["spec"]
    selectors = [spec(kind)["selector"]["matchLabels"] for kind in ("Deployment", "PodDisruptionBudget")]
    selectors += [spec("Service")["selector"], spec("NetworkPolicy")["podSelector"]["matchLabels"]]
    for selector in selectors:
        assert selector.items() <= node.items()
    assert spec("ServiceMonitor")["selector"]["matchLabels"].items() <= objects["Service"]["metadata"]["labels"].items()
    ports = {port["name"] for port in spec("Service")["ports"]}
    assert {endpoint["port"] for endpoint in spec("ServiceMonitor")["endpoints"]} <= ports
    for path in spec("Ingress")["rules"][0]["http"]["paths"]:
        assert path["backend"]["service"] == {"name": objects["Service"]["metadata"]["name"], "port": {"name": "http"}}
    # An autoscaler and a number of replicas would pull at each other.
    assert "replicas" not in spec("Deployment")
    assert spec("HorizontalPodAutoscaler")["scaleTargetRef"]["name"] == objects["Deployment"]["metadata"]["name"]


def test_nodes_have_no_rights():
    """Those of the Pod Security Standard `restricted`, and no word with Kubernetes."""
    pod = render({})["Deployment"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["initContainers"] + pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    # The image's user, who reads the key files by his group.
    image = (ROOT / "deploy/suanpan.Dockerfile").read_text()
    assert f"\nUSER {pod['securityContext']['runAsUser']}\n" in image
    keys = next(volume["secret"] for volume in pod["volumes"] if volume["name"] == "keys")
    assert keys["defaultMode"] == 0o440 and pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]


def test_another_configuration_means_other_nodes():
    checksum = lambda config: render({"config": config})["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert checksum("[[merchants]]\na = 1") == checksum("[[merchants]]\na = 1")
    assert checksum("[[merchants]]\na = 1") != checksum("[[merchants]]\na = 2")


@pytest.mark.parametrize(
    "values",
    [{"replica": 3}, {"config": "[server]"}, {"secret": {"name": ""}}, {"ingress": {"paths": ["v1"]}}, {"image": {"tag": 1}}],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(values):
    with pytest.raises(helm.HelmError):
        render(values)


def test_versions_are_that_of_the_binary(binary):
    version = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    with helm.Chart.load(CHART) as chart:
        assert (chart.metadata["version"], chart.metadata["appVersion"]) == (version, version)


def test_the_configuration_that_it_shows_is_one(binary, tmp_path):
    with helm.Chart.load(CHART) as chart:
        (tmp_path / "suanpan.toml").write_text(chart.values["config"])
    is_read(binary, tmp_path / "suanpan.toml")


def test_the_containers_migrate_serve_and_answer_their_probes(binary, simulator, tmp_path):
    """On SQLite, which the address in the Secret decides; otherwise as Kubernetes runs them."""
    objects = render({"config": simulator.config.replace('"keys/', '"/etc/suanpan/keys/')})
    secret = {"database-url": f"sqlite:{tmp_path}/suanpan.db"}
    here = Here(binary, {"/etc/suanpan/keys": simulator.data / "keys", "/etc/suanpan/config": tmp_path})
    for name, text in objects["ConfigMap"]["data"].items():
        (tmp_path / name).write_text(here(text))

    pod = objects["Deployment"]["spec"]["template"]["spec"]
    (migrate,), (node,) = pod["initContainers"], pod["containers"]
    environment = {**os.environ, **here.environment({each["name"]: value(each, secret) for each in node["env"]})}
    subprocess.run(here.command(migrate["command"]), env=environment, check=True, capture_output=True)
    assert (tmp_path / "suanpan.db").is_file()
    with Program(here.command(node["command"]), env=environment) as program:
        url = f"http://127.0.0.1:{here.port}"
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            with urllib.request.urlopen(url + node[probe]["httpGet"]["path"], timeout=5) as answer:
                assert answer.status == 200
        assert simulator.pays(url, program.ready["api_key"], "chart-1")["status"] == "paid"
    assert program.exit == 0
    seconds = pod["terminationGracePeriodSeconds"] - int(node["lifecycle"]["preStop"]["exec"]["command"][1])
    defaults = (ROOT / "crates/suanpan-server/src/config.default.toml").read_text()
    assert seconds > int(re.search(r"shutdown_seconds = (\d+)", defaults)[1])


def value(variable, secret):
    return variable.get("value") or secret[variable["valueFrom"]["secretKeyRef"]["key"]]


def render(values):
    """The objects of a release, one of each kind."""
    with helm.Chart.load(CHART) as chart:
        texts = chart.render(values, name="tea", namespace="shop")
    documents = [each for name, text in texts.items() if name.endswith(".yaml") for each in yaml.safe_load_all(text) if each]
    objects = {each["kind"]: each for each in documents}
    assert len(objects) == len(documents)
    return objects

"""The manifests say what the Procfile says."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.urls import resolve

from config.supervisor import procfile

CHECKOUT = Path(__file__).resolve().parents[2]
COMMANDS = procfile.read(CHECKOUT / "Procfile")
MANIFESTS = list(yaml.safe_load_all((CHECKOUT / "docs" / "how-to" / "kubernetes" / "bongsu.yaml").read_text()))
#: Seconds within which SIGTERM ends every process.
ENDS_WITHIN = 10


def deployments() -> dict[str, Any]:
    """The Deployments, by the line of the Procfile that they run."""
    return {one["metadata"]["labels"]["line"]: one["spec"] for one in MANIFESTS if one["kind"] == "Deployment"}


def container(line: str) -> Any:
    (only,) = deployments()[line]["template"]["spec"]["containers"]
    return only


def lanes_of(command: str) -> list[str]:
    return command.split(" -Q ")[1].split(maxsplit=1)[0].split(",")


WORKERS = [line for line, command in COMMANDS.items() if " -Q " in command]


def test_every_line_of_the_procfile_has_its_deployment_and_no_other_has_one() -> None:
    assert list(deployments()) == list(COMMANDS)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_deployment_runs_its_line_word_for_word(line: str) -> None:
    assert container(line)["command"] == ["/bin/sh", "-c"]
    assert container(line)["args"] == [f"exec {COMMANDS[line]}"]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_deployment_selects_its_own_pods_and_grants_them_enough_time_to_end(line: str) -> None:
    spec = deployments()[line]
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"] == {"app": "bongsu", "line": line}
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] > ENDS_WITHIN


@pytest.mark.parametrize("line", WORKERS)
def test_a_worker_is_asked_for_progress_in_what_it_reads(line: str) -> None:
    for probe in ("startupProbe", "livenessProbe"):
        *command, queue = container(line)[probe]["exec"]["command"]
        assert command == ["python", "manage.py", "worker_health", "--queue"]
        assert all(lane == queue or lane.startswith(f"{queue}.") for lane in lanes_of(COMMANDS[line]))


@pytest.mark.parametrize("line", COMMANDS)
def test_the_folder_of_the_signs_of_progress_can_be_written_to(line: str) -> None:
    env = {one["name"]: one["value"] for one in container(line)["env"]}
    assert env["BONGSU_RUN_DIR"] in {mount["mountPath"] for mount in container(line)["volumeMounts"]}


@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe"])
def test_the_web_is_asked_at_addresses_that_exist(probe: str) -> None:
    resolve(container("web")[probe]["httpGet"]["path"])


def test_there_is_one_beat_and_the_old_one_ends_first() -> None:
    beat = deployments()["beat"]
    assert (beat["replicas"], beat["strategy"]["type"]) == (1, "Recreate")


def test_migrations_are_a_job() -> None:
    (job,) = [one for one in MANIFESTS if one["kind"] == "Job"]
    (only,) = job["spec"]["template"]["spec"]["containers"]
    assert only["command"] == ["python", "manage.py", "migrate"]

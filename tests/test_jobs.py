"""The example job files: what they start, with stand-ins for a cluster's commands, which cannot exist here."""

import json
import os
import subprocess
from pathlib import Path

import yaml

from keras_gans.training.strategy import Worker, this_worker

JOBS = Path(__file__).parents[1] / "docs" / "jobs"


def command(folder, name, body):
    (folder / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
    (folder / name).chmod(0o755)


def test_slurms_job_tells_each_task_its_place(tmp_path, monkeypatch):
    command(tmp_path, "scontrol", 'if [ "$1" = show ]; then printf "node1\\nnode2\\n"; else echo "$@" >> requeued; fi')
    # As srun does, one task a node, each with its number; the first argument is an option.
    command(tmp_path, "srun", 'shift; for SLURM_PROCID in 0 1; do export SLURM_PROCID; "$@" || exit 1; done')
    command(tmp_path, "keras-gans", 'echo "$TF_CONFIG" >> configs; echo "$@" >> commands')
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    environment |= {"SLURM_JOB_ID": "4711", "SLURM_JOB_NODELIST": "node[1-2]"}
    subprocess.run(["bash", JOBS / "slurm.sh"], cwd=tmp_path, env=environment, check=True)
    places = []
    for text in (tmp_path / "configs").read_text().splitlines():
        assert json.loads(text)["cluster"]["worker"] == ["node1:24711", "node2:24711"]
        monkeypatch.setenv("TF_CONFIG", text)
        places.append(this_worker())
    assert places == [Worker(0, 2), Worker(1, 2)]
    assert all("--resume auto" in line for line in (tmp_path / "commands").read_text().splitlines())
    assert not (tmp_path / "requeued").exists()
    command(tmp_path, "keras-gans", "exit 1")
    subprocess.run(["bash", JOBS / "slurm.sh"], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "requeued").read_text() == "requeue 4711\n"


def test_kubeflows_job_is_one_that_can_be_started_again():
    job = yaml.safe_load((JOBS / "kubeflow.yaml").read_text())
    workers = job["spec"]["tfReplicaSpecs"]["Worker"]
    container = workers["template"]["spec"]["containers"][0]
    words = [*container["command"], *container["args"]]
    assert job["kind"] == "TFJob" and container["name"] == "tensorflow" and workers["restartPolicy"] == "OnFailure"
    assert words[:3] == ["keras-gans", "train", "dcgan"] and words[-2:] == ["--resume", "auto"]
    batch_size = int(words[words.index("--batch-size") + 1])
    assert batch_size % workers["replicas"] == 0

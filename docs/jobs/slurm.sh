#!/usr/bin/env bash
# Trains on four nodes with all their GPUs:  sbatch slurm.sh
#
# The folder of runs must be on storage that all nodes share. Slurm queues the job again when a node is lost or the job
# preempted, and --resume auto goes on. Tested with stand-ins for srun and scontrol, not on a cluster.
#SBATCH --job-name=keras-gans
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --requeue
set -euo pipefail

port=$((20000 + SLURM_JOB_ID % 20000))
workers=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed "s/.*/\"&:$port\"/" | paste -sd, -)
export workers

# --kill-on-bad-exit: one lost worker ends the step, so that the job can start anew.
srun --kill-on-bad-exit=1 bash -c '
    export TF_CONFIG="{\"cluster\": {\"worker\": [$workers]}, \"task\": {\"type\": \"worker\", \"index\": $SLURM_PROCID}}"
    exec keras-gans train dcgan --data cifar10 --batch-size 1024 --runs runs/dcgan --resume auto
' || scontrol requeue "$SLURM_JOB_ID"

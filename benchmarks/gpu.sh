#!/usr/bin/env bash
# DCGAN and WGAN-GP on CIFAR-10 on a GPU: images a second and the Fréchet distance after a fixed time, beside PyTorch.
#
#   benchmarks/gpu.sh                    # some forty minutes; writes gpu.json
#   benchmarks/gpu.sh --peak-float32 67 --peak-bfloat16 989   # teraflops of the data sheet instead of a measured product
#   benchmarks/gpu.sh --smoke            # everything once on the CPU with tiny networks
#
# PYTHON names the interpreter; PyTorch is compared where it is installed (pip install torch).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# TensorFlow takes a whole GPU unless told otherwise, and several processes share it here.
export TF_FORCE_GPU_ALLOW_GROWTH=true
exec "${PYTHON:-python}" -m benchmarks.gpu "$@"

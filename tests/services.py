"""tf.data services for tests, in a process of their own."""

import json
import subprocess
import sys

# Dispatchers with no, one and two workers, in a process that ends with its standard input.
SERVICES = """
import json, sys
from tensorflow.data.experimental import service
services, workers = {}, []
for count in range(3):
    services[count] = service.DispatchServer(service.DispatcherConfig(port=0))
    place = services[count].target.removeprefix("grpc://")
    # A worker's constructor returns once the dispatcher knows it.
    workers += [service.WorkerServer(service.WorkerConfig(dispatcher_address=place, port=0)) for _ in range(count)]
print(json.dumps([services[count].target for count in range(3)]), flush=True)
sys.stdin.read()
"""


def start_services():
    """(process, addresses of its dispatchers with no, one and two workers)."""
    command = [sys.executable, "-c", SERVICES]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return process, json.loads(process.stdout.readline())

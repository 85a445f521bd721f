"""What the development server takes: REST and gRPC under load, against the SavedModel called in process.

    python -m benchmarks.serving exported/dcgan
    python -m benchmarks.serving exported/dcgan --requests 100000 --swaps 20
    python -m benchmarks.serving exported/dcgan --reloads 30
    python -m benchmarks.serving exported/dcgan --starts 7

The first measures each way of asking for one image with 1 to 32 clients at once, in turns over the rounds. The second
asks until so many requests have been answered, half by REST and half by gRPC, while new versions appear, and counts
what failed and the server's memory. The third loads a version so often, by TensorFlow alone and as the server does, and
says what memory stays each time once the one before is dropped. The fourth starts a server by each format that the
version has, in turns: how long it takes from the start of the process to the first answer, and then a request. The
server is `keras-gans serve` in a process of its
own, and so are the clients.

Beside the wall's clock stands the server's time on its processors, which a busy machine does not change by much.
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CLIENTS = (1, 2, 4, 8, 16, 32)
_TICKS = os.sysconf("SC_CLK_TCK")
# A request that is not answered by then has failed.
_PATIENCE = 600.0


class Server:
    """`keras-gans serve` of a folder, in a process of its own."""

    def __init__(self, folder, format="auto"):
        arguments = ["--port", "0", "--grpc-port", "0", "--name", "model", "--poll", "0.2", "--format", format]
        start = "from keras_gans.training.command import main; main()"
        command = [sys.executable, "-c", start, "serve", str(folder), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.said, self.rest, self.grpc = [], None, None
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            words = line.split()
            if words[:1] == ["REST"]:
                self.rest = int(words[1].split("/")[2].rpartition(":")[2])
            if words[:1] == ["gRPC"]:
                self.grpc = int(words[1].rpartition(":")[2])
            if line.startswith("Ctrl+C"):
                break
        if self.rest is None or self.grpc is None:
            raise RuntimeError("The server did not start:\n" + "\n".join(self.said))
        # What it says later must not fill its pipe.
        threading.Thread(target=lambda: self.said.extend(self.process.stdout), daemon=True).start()

    def seconds(self):
        """What it has taken of its processors."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def megabytes(self):
        """What it holds of memory."""
        return _megabytes(self.process.pid)

    def stop(self):
        """Ends it."""
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()


def _megabytes(process):
    for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("The process has ended.")


# Ways of asking -------------------------------------------------------------------------------------------------


def by_rest(server, signature):
    """Function of nothing that makes a client: a function of a seed that asks once and raises where it is refused."""

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", server.rest, timeout=_PATIENCE)

        def ask(seed):
            body = json.dumps({"signature_name": signature, "instances": [{"seed": seed}]})
            connection.request("POST", "/v1/models/model:predict", body)
            response = connection.getresponse()
            content = response.read()
            if response.status != 200 or not content.startswith(b'{"predictions": ['):
                raise RuntimeError(f"{response.status}: {content[:200]!r}")

        return ask

    return client


def by_grpc(server, signature):
    """The same over gRPC, on messages that are ready: what is measured is the server."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "model", signature

    def client():
        own = predict_pb2.PredictRequest.FromString(request.SerializeToString())
        options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc}", options)
        call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")

        def ask(seed):
            own.inputs["seed"].CopyFrom(tf.make_tensor_proto([seed], tf.int64))
            call(own.SerializeToString(), timeout=_PATIENCE)

        return ask

    return client


def in_process(folder, signature):
    """The same of the SavedModel itself, which has no server to wait for."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    function = loaded.signatures[signature]

    def client():
        def ask(seed):
            # As a client gets it, in Python's memory.
            next(iter(function(seed=tf.constant([seed], tf.int64)).values())).numpy()

        # Without it, the variables would be let go.
        ask.loaded = loaded
        return ask

    return client


# Load -----------------------------------------------------------------------------------------------------------


def load(make_client, clients, seconds=None, requests=None):
    """Asks with so many clients at once.

    Args:
        make_client: of `by_rest` and its like.
        clients: how many.
        seconds: for so long at the most.
        requests: so many in all, at the most.

    Returns:
        {"clients", "requests", "failed", "first_failure", "per_second", "p50_ms", "p99_ms"}.
    """
    count, lock = iter(range(10**12)), threading.Lock()
    times, failures = [], []
    gate = threading.Barrier(clients + 1)
    ended = threading.Event()

    def work():
        ask = make_client()
        ask(0)
        gate.wait()
        own = []
        while not ended.is_set():
            with lock:
                number = next(count)
            if requests is not None and number >= requests:
                break
            start = time.perf_counter()
            try:
                ask(number)
                own.append(time.perf_counter() - start)
            except Exception as error:
                failures.append(f"{type(error).__name__}: {error}"[:300])
                ask = make_client()
        with lock:
            times.extend(own)

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(work) for _ in range(clients)]
        gate.wait()
        start = time.perf_counter()
        concurrent.futures.wait(running, timeout=seconds)
        ended.set()
        for each in running:
            each.result()
        elapsed = time.perf_counter() - start
    times.sort()
    return {
        "clients": clients,
        "requests": len(times),
        "failed": len(failures),
        "first_failure": failures[0] if failures else None,
        "per_second": len(times) / elapsed,
        "p50_ms": 1e3 * times[len(times) // 2] if times else None,
        "p99_ms": 1e3 * times[min(len(times) - 1, 99 * len(times) // 100)] if times else None,
    }


def measure(folder, clients, rounds, seconds):
    """[figures of each way of asking with each number of clients, of each round]."""
    version = folder / str(max(int(path.name) for path in folder.iterdir() if path.name.isdecimal()))
    server = Server(folder)
    found = []
    try:
        ways = {
            "REST sample_png": (by_rest(server, "sample_png"), server),
            "gRPC sample_png": (by_grpc(server, "sample_png"), server),
            "REST sample, JSON": (by_rest(server, "sample"), server),
            "in process sample_png": (in_process(version, "sample_png"), None),
        }
        for turn in range(rounds):
            for many in clients:
                for way, (make_client, asked) in ways.items():
                    before = asked.seconds() if asked else time.process_time()
                    figures = load(make_client, many, seconds=seconds)
                    spent = (asked.seconds() if asked else time.process_time()) - before
                    # Those that came before the clock are among what was spent.
                    figures["processor_ms"] = 1e3 * spent / max(1, figures["requests"] + many)
                    found.append({"round": turn, "way": way, **figures})
                    print(_line(found[-1]), flush=True)
    finally:
        server.stop()
    return found


def soak(folder, requests, clients, swaps, seconds=None):
    """Asks until `requests` have been answered, or for so long, while `swaps` versions appear; returns the figures."""
    with tempfile.TemporaryDirectory() as scratch:
        own = Path(scratch) / "model"
        source = folder / str(max(int(path.name) for path in folder.iterdir() if path.name.isdecimal()))
        shutil.copytree(source, own / "1")
        server = Server(own)
        memory, half = [], clients // 2
        ended = threading.Event()

        def swap(done):
            for number in range(2, swaps + 2):
                while done() < (number - 1) / (swaps + 1) and not ended.is_set():
                    time.sleep(0.2)
                if ended.is_set():
                    return
                staged = own / f".exporting-{number}"
                shutil.copytree(source, staged)
                staged.rename(own / str(number))
                memory.append(server.megabytes())

        counted = [0]

        def counting(make_client):
            def client():
                ask = make_client()

                def ask_and_count(seed):
                    ask(seed)
                    counted[0] += 1

                return ask_and_count

            return client

        try:
            ways = (by_rest(server, "sample_png"), half), (by_grpc(server, "sample_png"), clients - half)
            memory.append(server.megabytes())
            start, before = time.perf_counter(), server.seconds()
            swapping = threading.Thread(target=swap, args=(lambda: counted[0] / requests,))
            swapping.start()
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                halves = [
                    pool.submit(load, counting(make_client), many, seconds, requests // 2) for make_client, many in ways
                ]
                figures = [each.result() for each in halves]
            ended.set()
            swapping.join()
            memory.append(server.megabytes())
            return {
                "requests": sum(each["requests"] for each in figures),
                "failed": sum(each["failed"] for each in figures),
                "rest": figures[0],
                "grpc": figures[1],
                "seconds": time.perf_counter() - start,
                "processor_seconds": server.seconds() - before,
                "versions_served": sum("is served, after" in line for line in server.said),
                "megabytes": memory,
            }
        finally:
            ended.set()
            server.stop()


def reloads(folder, count):
    """What stays in memory with each of so many loads of a version, while the one before is dropped.

    Returns:
        {"TensorFlow alone" and "the server's": {"megabytes": a load, after what C has freed was given back, "objects":
        of Python that stay, a load}}.
    """
    import ctypes
    import gc

    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    from keras_gans.export.formats import WARMUP_FILE
    from keras_gans.export.server.models import Servable

    version = folder / str(max(int(path.name) for path in folder.iterdir() if path.name.isdecimal()))
    records = tf.data.TFRecordDataset(str(version / WARMUP_FILE)).as_numpy_iterator()
    logs = [prediction_log_pb2.PredictionLog.FromString(record).predict_log.request for record in records]
    asked = [
        (each.model_spec.signature_name, {name: tf.make_ndarray(value) for name, value in each.inputs.items()})
        for each in logs
    ]

    def alone():
        loaded = tf.saved_model.load(str(version))
        for name, arrays in asked:
            loaded.signatures[name](**{key: tf.constant(value) for key, value in arrays.items()})
        return loaded

    def state():
        gc.collect()
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        return _megabytes("self"), len(gc.get_objects())

    found = {}
    for name, load_once in (("TensorFlow alone", alone), ("the server's", lambda: Servable(version))):
        # What is held while the next one loads, as where versions are swapped.
        held = [load_once() for _ in range(3)][-1]
        before = state()
        for _ in range(count):
            held = load_once()
            gc.collect()
        after = state()
        del held
        stays = [(late - early) / count for late, early in zip(after, before, strict=True)]
        found[name] = dict(zip(("megabytes", "objects"), stays, strict=True))
    return found


def starts(folder, rounds, requests=300):
    """How long a server takes by each format, of `requests` requests one after the other.

    Returns:
        {format: [{"wall_s" and "processor_s" to the first answer, "wall_ms" and "processor_ms" a request}]}, by round.
    """
    from keras_gans.export.runtimes import formats_of

    version = folder / str(max(int(path.name) for path in folder.iterdir() if path.name.isdecimal()))
    found = {format: [] for format in formats_of(version)}
    for _ in range(rounds):
        for format, figures in found.items():
            start = time.perf_counter()
            server = Server(folder, format)
            try:
                ask = by_rest(server, "sample")()
                ask(0)
                figures.append({"wall_s": time.perf_counter() - start, "processor_s": server.seconds()})
                ask = by_rest(server, "sample_png")()
                for seed in range(20):
                    ask(seed)
                start, before = time.perf_counter(), server.seconds()
                for seed in range(requests):
                    ask(seed)
                spent = {"wall_ms": time.perf_counter() - start, "processor_ms": server.seconds() - before}
                figures[-1] |= {name: 1e3 * seconds / requests for name, seconds in spent.items()}
            finally:
                server.stop()
    return found


def table_of_starts(found):
    """The medians over the rounds, with the smallest and the largest, as a Markdown table."""
    lines = [
        "| | start, wall s | start, processor s | request, wall ms | request, processor ms |",
        "|---|---|---|---|---|",
    ]
    for format, rounds in found.items():
        cells = []
        for key in ("wall_s", "processor_s", "wall_ms", "processor_ms"):
            values = [figures[key] for figures in rounds]
            cells.append(f"{statistics.median(values):.2f} [{min(values):.2f}, {max(values):.2f}]")
        lines.append(f"| `{format}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def table(found):
    """The medians over the rounds as a Markdown table."""
    titles = ("", "clients", "requests/s", "p50 ms", "p99 ms", "processor ms a request", "failed")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for way, many in dict.fromkeys((each["way"], each["clients"]) for each in found):
        rows = [each for each in found if (each["way"], each["clients"]) == (way, many)]
        figures = [
            statistics.median(row[key] for row in rows) for key in ("per_second", "p50_ms", "p99_ms", "processor_ms")
        ]
        failed = sum(row["failed"] for row in rows)
        lines.append(f"| {way} | {many} | {' | '.join(f'{figure:.1f}' for figure in figures)} | {failed} |")
    return "\n".join(lines)


def _line(row):
    return (
        f"{row['way']:24} {row['clients']:3} clients: {row['per_second']:7.1f}/s, p50 {row['p50_ms']:.1f} ms, "
        f"p99 {row['p99_ms']:.1f} ms, {row['processor_ms']:.1f} ms of processors, {row['failed']} failed"
    )


def main():
    """Measures what the arguments say, and prints and writes it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of an export's versions; its latest is served")
    parser.add_argument("--clients", nargs="+", type=int, default=list(CLIENTS), help="at once")
    parser.add_argument("--rounds", type=int, default=3, help="turns that every way of asking takes")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a turn")
    parser.add_argument("--at-most", type=float, help="seconds after which --requests ends, answered or not")
    parser.add_argument("--requests", type=int, help="ask so many in all, and measure nothing else")
    parser.add_argument("--swaps", type=int, default=5, help="versions that appear meanwhile")
    parser.add_argument("--reloads", type=int, help="load a version so often, and measure nothing else")
    parser.add_argument("--starts", type=int, help="start a server so often by each format, and measure nothing else")
    parser.add_argument("--output", type=Path, help="JSON file of all figures")
    given = parser.parse_args()
    if given.starts:
        print(table_of_starts(starts(given.folder, given.starts)))
        return
    if given.reloads:
        print(json.dumps(reloads(given.folder, given.reloads), indent=2))
        return
    if given.requests:
        found = soak(given.folder, given.requests, 8, given.swaps, given.at_most)
        print(json.dumps(found, indent=2))
    else:
        found = measure(given.folder, given.clients, given.rounds, given.seconds)
        print(table(found))
    if given.output:
        given.output.write_text(json.dumps(found, indent=2), encoding="utf-8")
    failed = found["failed"] if given.requests else sum(each["failed"] for each in found)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""Batches made by other machines: a data set's pipeline run by a tf.data service.

https://www.tensorflow.org/api_docs/python/tf/data/experimental/service. Checking a service takes no TensorFlow.
"""

import re
from typing import TYPE_CHECKING

from keras_gans.errors import UserError
from keras_gans.private_apis import captured_tensors, serialized_graph

if TYPE_CHECKING:
    import tensorflow as tf


_FORM = re.compile(r"grpc://([^/\s:]+|\[[0-9a-fA-F:]+\]):(\d{1,5})")
_ANSWER_SECONDS = 5.0
# A protocol buffer, in which the dispatcher and its workers get the pipeline with the data in it, ends at 2**31 bytes.
_LARGEST_BYTES = 2**31 - 2**26
_PYTHON_OPERATIONS = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


def check_service(address: str, training_workers: int = 1) -> int:
    """Asks a tf.data service's dispatcher for its workers; gives up after a few seconds.

    Args:
        address: of the dispatcher, such as "grpc://data-host:5050".
        training_workers: how many processes train together on its batches.

    Returns:
        How many there are, 1 or more.

    Raises:
        UserError: the address is of another form, no dispatcher answers there, or its workers are none, or several
            where several processes train.
    """
    form = _FORM.fullmatch(address) if isinstance(address, str) else None
    if not form or int(form[2]) > 65535:
        raise UserError(f"A data service is the dispatcher's address, grpc://host:port. Received: {address!r}.")
    import grpc

    with grpc.insecure_channel(address.removeprefix("grpc://")) as channel:
        ask = channel.unary_unary("/tensorflow.data.DispatcherService/GetWorkers")
        try:
            workers = _count_entries(ask(b"", timeout=_ANSWER_SECONDS))
        except grpc.RpcError as error:
            raise UserError(
                f"No tf.data service's dispatcher answers at {address} within {_ANSWER_SECONDS:.0f} seconds "
                f"({error.code().name.lower()}). Start its DispatchServer, or leave the data service out."
            ) from None
    if not workers:
        raise UserError(
            f"The tf.data service at {address} has a dispatcher but no worker, so that no batch would ever come. Start "
            "a tf.data.experimental.service.WorkerServer with that dispatcher's address."
        )
    if workers > 1 and training_workers > 1:
        raise UserError(
            f"The {training_workers} workers of a training cluster must see the batches in the same order, which a "
            f"data service of one worker keeps. Received: {address}, with {workers} workers."
        )
    return workers


def _count_entries(message):
    """How many entries a GetWorkersResponse has: its field 1 is repeated, each entry with its length before it."""
    count, place = 0, 0
    while place < len(message):
        if message[place] != 0x0A:
            raise UserError("What answers is no tf.data service's dispatcher, or one of another TensorFlow.")
        length, shift, place = 0, 0, place + 1
        while True:
            byte = message[place]
            length, shift, place = length | (byte & 0x7F) << shift, shift + 7, place + 1
            if byte < 0x80:
                break
        count, place = count + 1, place + length
    return count


def through_service(dataset: "tf.data.Dataset", address: str) -> "tf.data.Dataset":
    """The same batches, made by the workers of a tf.data service.

    With one worker the order of the batches is the data set's own, so that training and resuming are bit for bit what
    they are without a service. With several, each batch of an endless data set is made by one of them, once, and they
    come in the order in which they are ready: a resumed run starts at the right batch but for those that were under
    way, is not bit-equal, and a lost worker's batches under way are lost.

    Every iteration is a job of its own at the service: the workers of a training cluster each get all batches, of
    which each takes its rows. They must get them in the same order, so a cluster needs a service of one worker.

    Args:
        dataset: a `tf.data.Dataset` that runs no Python code, such as `to_dataset` makes. Its data travel to the
            service, once for each iteration that starts.
        address: of the dispatcher, such as "grpc://data-host:5050".

    Returns:
        A `tf.data.Dataset` with the same elements.

    Raises:
        UserError: see `check_service`; a data set that no other process can run: one of Python code, or of 2 GiB; or
            several workers for one that ends, whose items they would share out before these are batched.
    """
    workers = check_service(address)
    import tensorflow as tf

    _check_travels(dataset)
    if workers > 1 and dataset.cardinality() != tf.data.INFINITE_CARDINALITY:
        raise UserError(
            "Several workers of a data service share an endless data set out by batches, one that ends by items. "
            f"Received one that ends, for {workers} workers. Make it with repeat=True, or take a service of one worker."
        )
    policy = tf.data.experimental.service.ShardingPolicy.DYNAMIC
    distributed = dataset.apply(tf.data.experimental.service.distribute(processing_mode=policy, service=address))
    distributed = distributed.apply(tf.data.experimental.assert_cardinality(dataset.cardinality()))
    return distributed.with_options(dataset.options()).prefetch(tf.data.AUTOTUNE)


def _check_travels(dataset):
    from tensorflow.core.framework import graph_pb2

    advice = "Leave the data service out, or make the batches of tensors and TensorFlow's operations."
    size = _captured_bytes(dataset)
    if size > _LARGEST_BYTES:
        raise UserError(
            f"The data set's {size / 2**30:.1f} GiB travel to a data service in one message of less than 2 GiB. Choose "
            "a smaller image_size, or leave the data service out."
        )
    graph = graph_pb2.GraphDef.FromString(serialized_graph(dataset))
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    if found := sorted({node.op for node in nodes} & _PYTHON_OPERATIONS):
        raise UserError(
            "A data service's workers are other processes, in which this process's Python code does not exist. "
            f"Received a data set that runs some ({', '.join(found)}, of from_generator, py_function or "
            f"numpy_function). {advice}"
        )


def _captured_bytes(dataset):
    """Bytes of the tensors that the functions of a data set and of those it is made from hold on to."""
    captured = {}
    for tensor in captured_tensors(dataset):
        if tensor.dtype.is_numeric or tensor.dtype.is_bool:
            captured[id(tensor)] = tensor.dtype.size * (tensor.shape.num_elements() or 0)
    return sum(captured.values())

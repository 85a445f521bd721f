"""What the workers of a cluster must have in common, compared before their first step."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.engine.replicas import LOST
from keras_gans.errors import LostWorkerError, UserError

from .recipe import Recipe
from .strategy import Worker


def check_agreement(
    strategy: tf.distribute.Strategy, worker: Worker, recipe: Recipe, data: Mapping[str, Any], done: int
) -> None:
    """Ends every worker of a cluster where they would not train on the same data, by one recipe and from one step.

    Args:
        strategy: over the workers, all of which call this.
        worker: this one.
        recipe: that it trains. Where the data lie may differ.
        data: `keras_gans.data.fingerprint` of what it trains on.
        done: steps taken before.

    Raises:
        UserError: they differ; it says what each has.
        LostWorkerError: another worker has stopped meanwhile.
    """
    if worker.count == 1:
        return
    rows = max((count for name, count in data.items() if name.endswith(".rows")), default=0)
    settings = dataclasses.asdict(recipe.replace(data=""))
    try:
        found = over_workers(strategy, [rows, _number(data), _number(settings), done])
    except LOST:
        raise LostWorkerError(
            "Another worker of the cluster has stopped before the first step. What it said says why."
        ) from None
    compare(found[:: len(found) // worker.count])


def over_workers(strategy: tf.distribute.Strategy, numbers: Sequence[int]) -> np.ndarray:
    """The whole numbers that each replica's process has, an int64 array (replicas, how many), equal on all."""
    own = tf.constant([numbers], "int64")

    @tf.function
    def gather():
        everywhere = strategy.run(lambda: tf.distribute.get_replica_context().all_gather(own, axis=0))
        return strategy.experimental_local_results(everywhere)[0]

    return gather().numpy()


def compare(found: np.ndarray) -> None:
    """Raises a `UserError` where workers differ, of their (rows, data's number, recipe's number, steps taken)."""
    rows, data, recipe, done = np.transpose(found)
    if len({*zip(rows, data, strict=True)}) > 1:
        each = [f"{count:,} rows (fingerprint {_written(number)})" for count, number in zip(rows, data, strict=True)]
        what, cure = "data", "Give all of them the same, in the same order"
    elif len({*recipe}) > 1:
        each = [f"fingerprint {_written(number)}" for number in recipe]
        what, cure = "recipes", "Start all of them with the same options"
    elif len({*done}) > 1:
        each = [f"step {count}" for count in done]
        what, cure = "checkpoints", "Give --runs a folder that all of them share"
    else:
        return
    listed = ", ".join(f"worker {index} has {has}" for index, has in enumerate(each))
    raise UserError(f"The workers of the cluster have different {what}: {listed}. {cure}.")


def _number(content):
    text = json.dumps(content, sort_keys=True, default=str)
    return int.from_bytes(
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True
    )


def _written(number):
    return f"{int(number) % 2**64:016x}"

"""What holds a discriminator's slope: gradient penalties, which are values to compose, and weight clipping.

A penalty belongs to no loss: any scheme that plays the schedule of `engine.GAN` takes several,
`VanillaGAN(..., penalties=[R1(10.0), R2(10.0)])`, and a recipe names them,
`"penalties": [{"name": "r1", "weight": 10.0}]`.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans.checks import check_number
from keras_gans.engine.replicas import mean_over_replicas
from keras_gans.errors import UserError, unknown_name
from keras_gans.hints import Tensor
from keras_gans.layers import MinibatchStandardDeviation, Packing
from keras_gans.private_apis import layers_of
from keras_gans.randomness import fold_in, for_this_replica, uniform
from keras_gans.registry import penalties as registered

Score = Callable[..., tf.Tensor]


def mix(real: tf.Tensor, fake: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Points on the straight lines between pairs of real and generated samples.

    Gulrajani et al., "Improved Training of Wasserstein GANs" (2017), algorithm 1, lines 4 and 6: one
    epsilon ~ U[0, 1] a sample, shared by all of the sample's entries.

    Args:
        real, fake: float tensors of one shape, the batch first.
        seed: integer tensor of shape (2,).

    Returns:
        float32 tensor of the same shape.
    """
    real, fake = tf.cast(real, tf.float32), tf.cast(fake, tf.float32)
    ones = (1,) * (real.shape.rank - 1)
    epsilon = for_this_replica(lambda rows: uniform((rows, *ones), seed), tf.shape(real)[0])
    return epsilon * real + (1.0 - epsilon) * fake


def gradient_norms(critic: Score, samples: tf.Tensor, *conditions: tf.Tensor) -> tf.Tensor:
    """Each sample's norm of the critic's gradient with respect to that sample.

    Args:
        critic: function of a batch that returns one score a sample and keeps samples apart (no batch
            normalization).
        samples: float32 tensor, the batch first.
        *conditions: what else the critic takes, such as labels; held as they are.

    Returns:
        float32 tensor (batch,).
    """
    return _slopes(lambda samples: critic(samples, *conditions), samples)[0]


def _slopes(critic, *inputs):
    """The norms of the critic's gradient with respect to each of its inputs, (batch,) each."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        # The sum, not the mean: each sample's own gradient must not shrink with the batch.
        total = tf.reduce_sum(critic(*inputs))
    norms = []
    for gradient in tape.gradient(total, inputs):
        squares = tf.square(tf.cast(gradient, tf.float32))
        # The root has no finite gradient at zero, and a critic may well be flat at its start.
        norms.append(tf.sqrt(tf.reduce_sum(squares, axis=list(range(1, squares.shape.rank))) + 1e-12))
    return norms


def matching_slopes(critic: Score, samples: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
    """||dD(x, t)/dx|| + ||dD(x, t)/dt|| of each sample x with its text's code t.

    Tao et al., "DF-GAN: A Simple and Effective Baseline for Text-to-Image Synthesis" (2022), equation 1.

    Args:
        critic: function of samples and codes, see `gradient_norms`.
        samples: float32 tensor, the batch first.
        codes: float32 tensor (batch, d).

    Returns:
        float32 tensor (batch,).
    """
    return tf.add_n(_slopes(critic, samples, codes))


def gradient_penalty(critic: Score, real: tf.Tensor, fake: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """E (||grad f(x_hat)||_2 - 1)^2 over points x_hat between real and generated samples.

    Gulrajani et al. (2017), equation 3, without its weight lambda.

    Args:
        critic: see `gradient_norms`.
        real, fake: float tensors of one shape, the batch first.
        seed: integer tensor of shape (2,) for the mixing weights.

    Returns:
        Scalar float32 tensor.
    """
    return GradientPenalty().value(critic, real, fake, seed)


def real_gradient_penalty(discriminator: Score, real: tf.Tensor) -> tf.Tensor:
    """E ||grad D(x)||_2^2 over real samples x, which the discriminator's raw score must not slope at: R1.

    Mescheder et al., "Which Training Methods for GANs do actually Converge?" (2018), equation 9, without its factor
    gamma / 2.

    Args:
        discriminator: see `gradient_norms`.
        real: float tensor, the batch first.

    Returns:
        Scalar float32 tensor.
    """
    return R1().value(discriminator, real, real)


def check_weight(name: str, weight: float) -> None:
    """Refuses a weight that is no finite number from 0."""
    check_number(name, weight, example="1.0")


def check_keeps_samples_apart(discriminator: keras.Model, penalty: str) -> None:
    """Refuses a discriminator in which one sample's score depends on another sample.

    Args:
        discriminator: keras.Model.
        penalty: what penalises, for people.

    Raises:
        UserError: batch normalization, packing or minibatch statistics: the gradient at each sample by itself, which
            the penalty is defined by, does not exist (Gulrajani et al., 2017, section 4).
    """
    mixing = (keras.layers.BatchNormalization, MinibatchStandardDeviation, Packing)
    found = [type(layer).__name__ for layer in layers_of(discriminator) if isinstance(layer, mixing)]
    if found:
        raise UserError(
            f"{penalty} penalises the gradient at each sample by itself, so the discriminator must not use batch "
            f"normalization, packing or minibatch statistics. Received one with {found[0]}. Build it with "
            "normalization='layer' or normalization=None."
        )


class Penalty:
    """A weighted price on the discriminator's slope at certain points, which is added to its loss.

    Penalties are compared by kind and weight, and saved with the scheme that holds them. A new kind says where the
    slope is held (`points`) and what it costs there (`price`), and stands under `register_penalty`.

    Args:
        weight: see each kind; 0 or more.

    Raises:
        UserError: the weight is negative or no number.

    Attributes:
        curve: name under which the value is reported, without its weight.
        what: for people.
        draws: whether its points are random.
        at_fakes: whether its points lie at the generated samples, and so have their labels, not the real ones'.
    """

    curve = ""
    what = ""
    draws = False
    at_fakes = False

    def __init__(self, weight: float = 10.0) -> None:
        check_weight(f"The weight of {type(self).__name__}", weight)
        self.weight = weight

    @property
    def factor(self) -> float:
        """What the value is multiplied by in the discriminator's loss."""
        return self.weight

    def check(self, discriminator: keras.Model) -> None:
        """Raises a `UserError` where the penalty is not defined for a discriminator."""
        check_keeps_samples_apart(discriminator, self.what)

    def points(self, real: tf.Tensor, fake: tf.Tensor, seed: tf.Tensor | None) -> tf.Tensor:
        """Where the slope is held: float32 points of the samples' shape.

        Args:
            real, fake: float tensors of one shape, the batch first.
            seed: integer tensor of shape (2,) for what is random.
        """
        raise NotImplementedError(f"{type(self).__name__} must define points().")

    def price(self, norms: tf.Tensor) -> tf.Tensor:
        """What each point costs, (batch,), by its norm of the gradient."""
        raise NotImplementedError(f"{type(self).__name__} must define price().")

    def value(self, critic: Score, real: tf.Tensor, fake: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """The mean price over a batch, without the weight.

        Args:
            critic: see `gradient_norms`.
            real, fake, seed: see `points`.

        Returns:
            Scalar float32 tensor.
        """
        return tf.reduce_mean(self.price(gradient_norms(critic, self.points(real, fake, seed))))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"weight": self.weight}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Penalty":
        """The penalty with these arguments."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Penalty) and type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((type(self), *sorted(self.get_config().items())))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


def register_penalty(name: str) -> Callable[[type], type]:
    """Class decorator: files a penalty under the name by which recipes call it, and makes it loadable."""

    def add(penalty):
        # A package of its own, as a scheme may have the same name.
        return registered.register(name)(keras.saving.register_keras_serializable("keras_gans.penalties")(penalty))

    return add


@register_penalty("gradient_penalty")
class GradientPenalty(Penalty):
    """weight E (||grad f(x_hat)||_2 - 1)^2 over points x_hat between real and generated samples.

    Gulrajani et al., "Improved Training of Wasserstein GANs" (2017), equation 3. A point has its real sample's label.

    Args:
        weight: the paper's lambda; 10 for images, 0.1 in the authors' code for points.
    """

    curve = "gradient_penalty"
    what = "The gradient penalty"
    draws = True

    def points(self, real: Tensor, fake: Tensor, seed: int) -> np.ndarray:
        return mix(real, fake, seed)

    def price(self, norms: Any) -> tf.Tensor:
        return tf.square(norms - 1.0)


@register_penalty("r1")
class R1(Penalty):
    """weight / 2 E ||grad D(x)||_2^2 over real samples x.

    Mescheder et al., "Which Training Methods for GANs do actually Converge?" (2018), equation 9.

    Args:
        weight: the paper's gamma.
    """

    curve = "real_gradient_penalty"
    what = "The penalty on real gradients (R1)"

    @property
    def factor(self) -> float:
        return self.weight / 2

    def points(self, real: Tensor, fake: Tensor, seed: int) -> np.ndarray:
        return tf.cast(real, tf.float32)

    def price(self, norms: Any) -> tf.Tensor:
        return tf.square(norms)


@register_penalty("r2")
class R2(R1):
    """weight / 2 E ||grad D(x)||_2^2 over generated samples x.

    Mescheder et al. (2018), equation 10.

    Args:
        weight: the paper's gamma.
    """

    curve = "fake_gradient_penalty"
    what = "The penalty on generated gradients (R2)"
    at_fakes = True

    def points(self, real: Tensor, fake: Tensor, seed: int) -> np.ndarray:
        return tf.cast(fake, tf.float32)


@register_penalty("dragan")
class DRAGAN(GradientPenalty):
    """weight E (||grad D(x_hat)||_2 - 1)^2 over points x_hat around the real samples.

    Kodali et al., "On Convergence and Stability of GANs" (2017), with the points of the authors' code: x_hat = x +
    alpha delta, where delta = 0.5 std u, std is the deviation of all entries of the batch, u ~ U[0, 1] one number an
    entry and alpha ~ U[0, 1] one a sample. A point has its real sample's label.

    Args:
        weight: the paper's lambda.
    """

    curve = "perturbed_gradient_penalty"
    what = "DRAGAN's penalty around real samples"

    def points(self, real: Tensor, fake: Tensor, seed: int) -> np.ndarray:
        real = tf.cast(real, tf.float32)
        mean = mean_over_replicas(tf.reduce_mean(real))
        deviation = tf.sqrt(mean_over_replicas(tf.reduce_mean(tf.square(real - mean))))
        shape = real.shape[1:]
        entries = for_this_replica(lambda rows: uniform((rows, *shape), fold_in(seed, 1)), tf.shape(real)[0])
        return mix(real, real + 0.5 * deviation * entries, seed)


def named(choice: "Penalty | Mapping[str, Any]") -> Penalty:
    """A penalty itself, or the one that a recipe's {"name": ..., arguments} means.

    Raises:
        UserError: no such penalty, or an argument that it does not take.
    """
    if isinstance(choice, Penalty):
        return choice
    if not isinstance(choice, Mapping) or "name" not in choice:
        raise UserError(
            "A penalty is an object such as penalties.R1(10.0), or its name with its arguments, such as "
            f'{{"name": "r1", "weight": 10.0}}. Received: {choice!r}.'
        )
    arguments = {key: value for key, value in choice.items() if key != "name"}
    kind = registered[choice["name"]]
    known = inspect.signature(kind).parameters
    for argument in arguments:
        if argument not in known:
            raise unknown_name(f"argument of the penalty {choice['name']!r}:", argument, known)
    return kind(**arguments)


def several(choices: Iterable["Penalty | Mapping[str, Any]"]) -> tuple[Penalty, ...]:
    """The penalties that a constructor's argument means, each as in `named`.

    Raises:
        UserError: what is no list of penalties, or two of one kind, of which one would do.
    """
    if isinstance(choices, Penalty | Mapping | str) or not isinstance(choices, Iterable):
        raise UserError(f"penalties is a list, such as [R1(10.0)]. Received: {choices!r}.")
    found = tuple(named(choice) for choice in choices)
    check_kinds(found)
    return found


def check_kinds(penalties: Sequence[Penalty]) -> None:
    """Raises a `UserError` where two penalties are of one kind."""
    curves = [penalty.curve for penalty in penalties]
    twice = [penalty for penalty in penalties if curves.count(penalty.curve) > 1]
    if twice:
        raise UserError(f"Two penalties are of one kind: add their weights. Received: {', '.join(map(repr, twice))}.")


def values(
    penalties: Sequence[Penalty],
    critic: Score,
    real: Sequence[tf.Tensor],
    fake: Sequence[tf.Tensor],
    next_seed: Callable[[], tf.Tensor],
    one_pass: bool,
    due: tf.Tensor | None = None,
) -> dict[str, tf.Tensor]:
    """What each penalty costs on a batch, without its weight.

    Args:
        penalties: of different kinds.
        critic: function of samples, and of conditions such as labels, see `gradient_norms`.
        real, fake: samples of one shape, each followed by their conditions.
        next_seed: gives a seed to each penalty that draws.
        one_pass: whether the critic may see the points of all penalties in one batch, which spares passes.
        due: bool scalar tensor; where it is false nothing is computed and every value is 0. Always unless given.

    Returns:
        {curve: scalar float32 tensor}, in the order of the penalties.
    """
    places = []
    for penalty in penalties:
        points = penalty.points(real[0], fake[0], next_seed() if penalty.draws else None)
        places.append((points, *(fake if penalty.at_fakes else real)[1:]))

    def prices():
        if one_pass and len(places) > 1:
            joined = [tf.concat(parts, axis=0) for parts in zip(*places, strict=True)]
            norms = tf.split(gradient_norms(critic, *joined), len(places))
        else:
            norms = [gradient_norms(critic, *place) for place in places]
        return [tf.reduce_mean(penalty.price(norm)) for penalty, norm in zip(penalties, norms, strict=True)]

    found = prices() if due is None else tf.cond(due, prices, lambda: [tf.constant(0.0)] * len(places))
    return dict(zip((penalty.curve for penalty in penalties), found, strict=True))


def clip_weights(variables: Sequence[keras.Variable], limit: float) -> None:
    """Clips every entry of every variable to [-limit, limit].

    Arjovsky et al., "Wasserstein GAN" (2017), algorithm 1, line 7.

    Args:
        variables: list of `keras.Variable`.
        limit: the paper's c.
    """

    def clip(strategy, tensors):
        for tensor in tensors:
            strategy.extended.update(
                tensor, lambda value: value.assign(tf.clip_by_value(value, -limit, limit)), group=False
            )

    tensors = [variable.value for variable in variables]
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        for tensor in tensors:
            tensor.assign(tf.clip_by_value(tensor, -limit, limit))
    else:
        # Mirrored variables may only be written for all replicas together.
        context.merge_call(clip, args=(tensors,))

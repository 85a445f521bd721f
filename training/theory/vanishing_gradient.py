"""What is left for the generator to learn from when the discriminator wins."""

import math

import keras
import numpy as np
from scipy import special

import keras_gans as kg
from keras_gans.drawing.plot import Curve, Panel
from keras_gans.optimizers import Adam

from .gaussian import GRID, Gaussian, integral, optimal_scores
from .outcome import Evidence, at_least, at_most, within
from .playing import Setting, decaying_adam, fit, location_generator, normal_points, still, train_discriminator

STATEMENT = (
    "Where the discriminator tells samples from data, the gradient of log(1 - D(G(z))) vanishes, that of -log D(G(z)) "
    "does not, and a critic's is its slope."
)
SOURCE = "Goodfellow et al. 2014, section 3; Arjovsky and Bottou 2017, theorem 2.4"

DEVIATION = 0.1
DISTANCES = (0.1, 0.5, 1.0, 2.0)
_STEPS, _CRITIC_STEPS = 1500, 800
_VANISHED, _ALIVE, _SLOPE_TOLERANCE, _DIVERGENCE_TOLERANCE = 1e-4, 1.0, 0.05, 1e-3


def check(setting: Setting) -> Evidence:
    """Moves the generator's Gaussian away from the data's and measures |dL / d theta| of its mean theta.

    Returns:
        Evidence.
    """
    distances = (DISTANCES[0], DISTANCES[-1]) if setting.quick else DISTANCES
    rows = {distance: gradients(distance, setting) for distance in distances}
    near, far = rows[distances[0]], rows[distances[-1]]
    minimax, non_saturating = best_gradients(distances[0])
    claims = [
        # Where the two overlap nothing has vanished: the minimax gradient is that of the optimal D.
        within("theta 0.1: minimax", near["minimax"], minimax, 0.15 * minimax),
        within("theta 0.1: non-saturating", near["non-saturating"], non_saturating, 0.15 * non_saturating),
        at_most("theta 2: minimax", far["minimax"], _VANISHED, best_gradients(2.0)[0]),
        at_least("theta 2: non-saturating", far["non-saturating"], _ALIVE, best_gradients(2.0)[1]),
        within("theta 2: JSD as D sees it", far["JSD"], math.log(2.0), _DIVERGENCE_TOLERANCE),
    ]
    claims += [
        within(f"theta {distance:g}: WGAN-GP", row["WGAN-GP"], 1.0 + distance / 20.0, _SLOPE_TOLERANCE)
        for distance, row in rows.items()
    ]
    skipped = ("theta 0.5 and 1",) if setting.quick else ()
    return Evidence(tuple(claims), [_panel(rows)], skipped=skipped)


def gradients(distance: float, setting: Setting) -> dict[str, float]:
    """{objective: |dL / d theta|}, and "JSD", of a generator `distance` away from the data.

    Both are round Gaussians of the plane, where a critic can turn to the right direction; see `shifted_critic`.
    """
    gan = _trained(kg.schemes.VanillaGAN, distance, Adam(3e-3), _STEPS, setting)
    adam = decaying_adam(3e-3, _CRITIC_STEPS, beta_1=0.0, beta_2=0.9)
    critic = _trained(kg.schemes.WGANGP, distance, adam, _CRITIC_STEPS, setting, discriminator_steps=1)
    measured, curves = {}, {}
    for objective, name in (("minimax", "minimax"), ("non_saturating", "non-saturating")):
        curves = _measured(gan, distance, setting, generator_objective=objective)
        measured[name] = curves["generator_gradient_norm"]
    measured["WGAN-GP"] = _measured(critic, distance, setting, discriminator_steps=1)["generator_gradient_norm"]
    # V(D) = -log 4 + 2 JSD for the best D, and its loss is -V.
    measured["JSD"] = (math.log(4.0) - curves["discriminator_loss"]) / 2.0
    return measured


def best_gradients(distance: float, deviation: float = DEVIATION) -> tuple[float, ...]:
    """(minimax, non-saturating) |dL / d theta| against the optimal D, by quadrature.

    Its logit falls by theta / sigma^2 along the way, so that the two are theta / sigma^2 times E_q D* and
    E_q (1 - D*).
    """
    grid = GRID[::20]
    made = Gaussian(distance, deviation)
    scores = optimal_scores(grid, Gaussian(0.0, deviation), made)
    slope = distance / deviation**2
    # Multiplied as logarithms: where q is next to nothing D* is next to 1, and there the integral lies.
    parts = (made.log_density(grid) + special.log_expit(sign * scores) for sign in (1.0, -1.0))
    return tuple(slope * integral(np.exp(part), grid) for part in parts)


def _trained(scheme, distance, optimizer, steps, setting, **options):
    keras.utils.set_random_seed(setting.seed)
    return train_discriminator(
        scheme,
        location_generator([distance, 0.0], DEVIATION),
        kg.networks.mlp_discriminator((2,), (64, 64)),
        normal_points([setting.seed, 1], steps, 512, (0.0, 0.0), DEVIATION),
        optimizer,
        seed=setting.seed,
        callbacks=setting.watch(f"{scheme.__name__}, theta {distance:g}", steps),
        **options,
    )


def _measured(model, distance, setting, **options):
    """The scheme's own curves over ten steps of 4,096 points in which nobody moves."""
    generator = location_generator([distance, 0.0], DEVIATION)
    resting = type(model)(generator, model.discriminator, seed=setting.seed + 1, **options)
    # Ten steps are over before their graph would be traced.
    resting.compile({player: still() for player in resting.players}, run_eagerly=True)
    return fit(resting, normal_points([setting.seed, 2], 10, 4096, (0.0, 0.0), DEVIATION))


def _panel(rows):
    distances = list(rows)
    ways = np.linspace(0.05, 2.0, 196)
    best = np.maximum(np.array([best_gradients(way) for way in ways]), 1e-300).T
    curves = [
        Curve(ways, best[0], "minimax, theory", colour=(213, 94, 0), kind="dashed"),
        Curve(ways, best[1], "non-saturating, theory", colour=(0, 114, 178), kind="dashed"),
        Curve(ways, 1.0 + ways / 20.0, "WGAN-GP, theory", colour=(0, 158, 115), kind="dashed"),
    ]
    for name, colour in (("minimax", (213, 94, 0)), ("non-saturating", (0, 114, 178)), ("WGAN-GP", (0, 158, 115))):
        values = [row[name] for row in rows.values()]
        curves.append(Curve(distances, values, f"{name}, trained", kind="dots", size=9, colour=colour))
    return Panel(
        curves,
        title="The generator's gradient as it moves away from the data (both of deviation 0.1)",
        x_label="theta, the distance of the two means",
        y_label="|dL / d theta|",
        y_scale="log",
        x_range=(0.0, 2.1),
        y_range=(1e-8, 1e3),
        height=440,
    )

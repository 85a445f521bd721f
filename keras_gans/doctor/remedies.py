"""What to try, as sentences that name the setting and its value; the most promising first.

Settings are those of `keras-gans train`; in Python they are the arguments of the same names of optimizers, networks and
schemes. Each function takes the last `VitalSigns`, from which the values come.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_gans.doctor.verdict import Patient
    from keras_gans.doctor.vital_signs import VitalSigns


_ANOTHER_SCHEME = "Train the same data with `keras-gans train wgan_gp`, whose critic cannot leave the generator behind."
_PACKING = "Let the discriminator judge samples in pairs and see when they are alike: --set discriminator.packing=2."
# A penalty on the gradient at each sample by itself takes no pairs.
_ANOTHER_SEED = "See whether it is the rule or chance: --seed 1."


def for_not_finite(look: "VitalSigns", rates_too_large: bool) -> tuple[str, ...]:
    """Where `rates_too_large`, smaller steps first; else the data."""
    steps = [
        _lower_rates(look, 10),
        _clipping(look),
    ]
    data = [
        "Look for NaN or infinity in the data: numpy.isfinite(images).all(); fit() checks the first batch only.",
        "With --mixed-precision, try without: float16 ends at 65,504.",
    ]
    return (*steps, *data) if rates_too_large else (*data, *steps)


def for_exploding(look: "VitalSigns", patient: "Patient") -> tuple[str, ...]:
    """Smaller steps; for a critic its bound."""
    critic = (
        ["A critic needs its bound: --set scheme.gradient_penalty_weight=10 for wgan_gp."] if patient.is_critic else []
    )
    return (
        _lower_rates(look, 10),
        *critic,
        _clipping(look),
    )


def for_blind(look: "VitalSigns") -> tuple[str, ...]:
    """A discriminator whose activations are dead."""
    rate = look.learning_rates.get("discriminator")
    return (
        *([_set_rate("discriminator", rate / 10)] if rate else []),
        "Its units may all be dead: use leaky_relu (--set discriminator.activation=leaky_relu) and start anew.",
        "See that no layer of it is frozen, and that its last layer has no activation.",
    )


def for_frozen(look: "VitalSigns", player: str) -> tuple[str, ...]:
    """The player's rate where it is 0, else its gradient."""
    rate, norm = look.learning_rates.get(player), look.gradient_norms.get(player)
    if rate == 0:
        others = [value for other, value in look.learning_rates.items() if other != player and value]
        return (_set_rate(player, others[0] if others else 2e-4),)
    if not norm:
        return (
            f"No gradient reaches it: look for dead activations, and for a stop_gradient in the {player}'s loss.",
            "Where the other player has run away, lower that one's learning rate and start anew.",
        )
    return (
        *([_set_rate(player, 100 * rate)] if rate else []),
        f"See that the {player}'s layers are trainable and that its optimizer holds their variables.",
    )


def for_overpowering(look: "VitalSigns", patient: "Patient") -> tuple[str, ...]:
    """A weaker discriminator, a stronger generator, or a loss that does not saturate."""
    minimax = ["Use the loss that does not saturate: --set scheme.generator_objective=non_saturating."]
    generator, discriminator = (look.learning_rates.get(player) for player in ("generator", "discriminator"))
    rates = []
    if generator and discriminator and generator < discriminator:
        rates.append(_set_rate("generator", discriminator))
    if discriminator:
        rates.append(_set_rate("discriminator", min(discriminator, generator or discriminator) / 4))
    return (
        *(minimax if patient.is_minimax else []),
        *rates,
        "Make its task harder: --set discriminator.input_noise=0.1, or --set discriminator.dropout=0.3, which "
        "dcgan_discriminator and mlp_discriminator take.",
        _ANOTHER_SCHEME,
    )


def for_collapsed(look: "VitalSigns", patient: "Patient") -> tuple[str, ...]:
    """A discriminator that keeps up; schemes that do not collapse."""
    generator = look.learning_rates.get("generator")
    rates = []
    if _discriminator_is_slower(look):
        rates.append(
            _set_rate("discriminator", generator) + " It is slower than the generator, which lets that run off."
        )
    elif generator:
        rates.append(_set_rate("generator", generator / 4))
    other = () if patient.is_critic else (_ANOTHER_SCHEME,)
    return (*rates, *other, _packing(patient))


def for_copies(look: "VitalSigns", patient: "Patient") -> tuple[str, ...]:
    """A generator that can make more, and a discriminator that sees copies."""
    larger = (
        "Give the generator more room: --set generator.base_filters=64 or --set generator.hidden_units=[256,256], "
        "and --set latent_dim=64."
    )
    slower, *others = for_collapsed(look, patient)
    # A generator that runs off from a slow discriminator makes one sample however large it is.
    return (slower, larger, *others) if _discriminator_is_slower(look) else (larger, slower, *others)


def _discriminator_is_slower(look):
    generator, discriminator = (look.learning_rates.get(player) for player in ("generator", "discriminator"))
    return bool(generator and discriminator and discriminator < generator)


def for_not_converging(look: "VitalSigns", patient: "Patient") -> tuple[str, ...]:
    """The balance, the size, the data."""
    other = () if patient.is_critic else (_ANOTHER_SCHEME,)
    larger = (
        "Give the networks more room: --set generator.base_filters=128 or --set generator.hidden_units=[256,256], and "
        "the discriminator's."
    )
    return (*other, _lower_rates(look, 4), larger, "Look at samples/real.png: is this what it should learn?")


def for_missing_classes(look: "VitalSigns", patient: "Patient") -> tuple[str, ...]:
    """Schemes that cover more."""
    other = () if patient.is_critic else (_ANOTHER_SCHEME,)
    return (*other, _packing(patient), "Where the data has labels, condition on them: every class is then asked for.")


def for_lost_classes() -> tuple[str, ...]:
    """A loss that knows classes; a network that sees less of the image at once."""
    return (
        "Where both collections have labels, train cycada: its semantic loss asks for the class of the original.",
        "Where both look alike but for their colours, hold these: --set scheme.identity_weight=0.5.",
        "Let the translators change each pixel from its neighbourhood alone: --set a_to_b.name=plain_translator --set "
        "b_to_a.name=plain_translator.",
    )


def for_hidden_originals() -> tuple[str, ...]:
    """A cycle that asks for less."""
    return (
        "Ask less of the cycle: --set scheme.cycle_weight=3.",
        "Train one direction only, which has no cycle to close: keras-gans train cut.",
    )


def _packing(patient):
    return _PACKING if patient.can_pack else _ANOTHER_SEED


def _clipping(look):
    players = (look.learning_rates if look is not None else {}) or ("generator", "discriminator")
    return f"Clip gradients: {' '.join(f'--set optimizers.{player}.clipnorm=1.0' for player in players)}."


def _lower_rates(look, factor):
    rates = look.learning_rates if look is not None else {}
    settings = " ".join(
        f"--set optimizers.{player}.learning_rate={rate / factor:.2g}" for player, rate in rates.items()
    )
    return f"Lower the learning rates: {settings or f'to a {factor}th'}."


def _set_rate(player, rate):
    return f"--set optimizers.{player}.learning_rate={rate:.2g}."

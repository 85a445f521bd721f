"""DCGAN, from the digits on a laptop to the paper's own sizes.

keras-gans train dcgan
keras-gans train dcgan_images --data my_photos
keras-gans train dcgan_r1 --data fashion_mnist
keras-gans train dcgan_paper --data my_photos
"""

from ..recipe import Recipe, recipe, with_settings

_SOURCE = "Radford et al. 2015"


@recipe
def dcgan() -> "Recipe":
    """Digits by convolutions. Fréchet distance in 20 principal components of the digits 0.38 [0.29, 0.44], all ten
    classes; seeds 0 to 2. Some 60 seconds of one core.
    """
    adam = {"name": "adam", "learning_rate": 5e-4, "beta_1": 0.5}  # section 4: beta_1; the rate suits small networks
    return Recipe(
        summary="convolutional networks with batch normalization",
        source=_SOURCE,
        scheme={"name": "dcgan", "shared_fakes": True},
        networks={
            "generator": {"name": "dcgan_generator", "base_filters": 64, "upsampling": "deconv"},
            "discriminator": {"name": "dcgan_discriminator", "base_filters": 64, "normalization": "batch"},
        },
        optimizers={"generator": adam, "discriminator": adam},
        batch_size=64,
        steps=3000,
    )


def of_half_the_filters() -> Recipe:
    """`dcgan` for any images: four times its steps in the same time, an average of the weights, a rate that falls."""
    return dcgan().replace(
        networks={
            "generator": {"name": "dcgan_generator", "base_filters": 32},
            "discriminator": {"name": "dcgan_discriminator", "base_filters": 32},
        },
        ema=0.999,
        learning_rate_schedule="linear",
        steps=10_000,
        steps_per_execution=5,
    )


@recipe
def dcgan_images() -> "Recipe":
    """Any images, of half of `dcgan`'s filters, for four times its steps in the same time. Emoji of 32 pixels, Fréchet
    distance in features of their patches: in colour 2.22, 2.53 and 2.44 of seeds 0, 1 and 2 (`dcgan`, in 1.5 times the
    time, 2.96, 4.25 and 2.86; training images 2.23); black and white 2.91 and 3.03 of seeds 1 and 2 (3.17 and 3.41;
    2.58); another artist's 1.49 of seed 100, on which it was chosen, and 1.63 and 1.52 of seeds 1 and 2 (2.70, 2.58 and
    2.15; 1.18). The 10,000 steps are some twelve minutes of a core at that size, an hour at 64 pixels. `train --data`
    takes more of more images.
    """
    # Without the two, emoji have dots from pixel to pixel (docs/measured.md): a discriminator of strides of two sees
    # every second pixel by other weights. The shift is of 1 pixel of images of 16 to 32, 2 of 64, 4 of 128, none of 8.
    return with_settings(
        of_half_the_filters(), {"generator.full_size_filters": 16, "discriminator.augmentation": {"shift": 0.035}}
    ).replace(summary="for your own images: thin networks, an average of the weights, shifts by a pixel")


def held_by_r1(base: Recipe) -> Recipe:
    """A recipe of DCGAN's networks whose discriminator has R1, the penalty on its slope at real images, in the place of
    batch normalization (Mescheder et al. 2018, equation 9), in every eighth step, see `penalty_interval`, and a dense
    layer before its score; and both players the rate that was found with these.
    """
    discriminator = {**base.networks["discriminator"], "normalization": None, "hidden_units": [128]}
    # Half of the best rate of those tried; at four times CIFAR-10 was lost (docs/measured.md).
    rate = {"learning_rate": 2e-3}
    return base.replace(
        scheme={**base.scheme, "penalties": [{"name": "r1", "weight": 1.0}], "penalty_interval": 8},
        networks={**base.networks, "discriminator": discriminator},
        optimizers={player: {**optimizer, **rate} for player, optimizer in base.optimizers.items()},
    )


@recipe
def dcgan_r1() -> "Recipe":
    """Grey images of 28 pixels without classes. After four minutes of the processor, 6,300 to 7,200 steps: Fréchet
    distance in features of their own classes 1.43 for Fashion-MNIST and 1.23 for MNIST (`dcgan_images` 4.24 and 7.53),
    coverage 0.83 and 0.78 (0.56 and 0.42); one seed each. Most small sets, larger images and those in colour
    it draws less near. The 10,000 steps are some six minutes of one core.
    """
    return held_by_r1(of_half_the_filters()).replace(
        summary="for your own images of 28 pixels: slopes held at real ones, an average of the weights"
    )


@recipe
def dcgan_paper() -> "Recipe":
    """The paper's size, for a GPU; it was not trained to its end, so no figure is expected of it yet."""
    adam = {"name": "adam", "learning_rate": 2e-4, "beta_1": 0.5}  # section 4
    return Recipe(
        summary="DCGAN at the paper's size, 64x64 and 1024 filters: for a GPU",
        source=_SOURCE,
        scheme={"name": "dcgan", "latent_prior": "uniform"},  # section 4, figure 1: z ~ U(-1, 1)
        networks={
            "generator": {"name": "dcgan_generator", "base_filters": 128},  # figure 1: 1024, 512, 256, 128
            "discriminator": {"name": "dcgan_discriminator", "base_filters": 128},
        },  # figure 1: 1024, 512, 256, 128
        optimizers={"generator": adam, "discriminator": adam},
        image_size=64,  # section 4
        latent_dim=100,  # figure 1
        batch_size=128,  # section 4
        steps=100_000,
    )

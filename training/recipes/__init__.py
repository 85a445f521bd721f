"""The experiments, one function each, with the paper's section beside each number that comes from it."""

from . import gan, dcgan, lsgan, wgan, wgan_gp, mixtures, cgan, acgan, sgan, began, autoencoder, aae, vae, vae_gan  # noqa: F401, I001  `list` keeps this order

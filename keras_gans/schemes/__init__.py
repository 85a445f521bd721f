"""The schemes: one paper, one file, one class."""

from keras_gans.schemes.dcgan import DCGAN
from keras_gans.schemes.gan import VanillaGAN
from keras_gans.schemes.lsgan import LSGAN
from keras_gans.schemes.wgan import WGAN
from keras_gans.schemes.wgan_gp import WGANGP

__all__ = ["DCGAN", "LSGAN", "VanillaGAN", "WGAN", "WGANGP"]

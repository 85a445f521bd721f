"""The experiments, one function each, with the paper's section beside each number that comes from it."""

# ruff: noqa: F401, I001  `keras-gans list` keeps this order
from . import gan
from . import dcgan
from . import lsgan
from . import wgan
from . import wgan_gp
from . import dragan
from . import sngan
from . import r3gan
from . import mixtures
from . import cgan
from . import acgan
from . import sgan
from . import began
from . import autoencoder
from . import aae
from . import vae
from . import vae_gan
from . import cyclegan
from . import cycada
from . import cut
from . import pix2pix
from . import adversarial_nmt
from . import text_to_image
from . import stackgan
from . import df_gan

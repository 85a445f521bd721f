"""The schemes: one paper, one file, one class."""

# A .keras file of any scheme may name the project's layers and optimizers: whoever imports schemes can load it.
from keras_gans import layers, optimizers  # noqa: F401
from keras_gans.schemes.aae import AdversarialAutoencoder
from keras_gans.schemes.acgan import ACGAN
from keras_gans.schemes.adversarial_nmt import AdversarialNMT
from keras_gans.schemes.autoencoder import Autoencoder
from keras_gans.schemes.began import BEGAN
from keras_gans.schemes.cgan import CGAN
from keras_gans.schemes.cut import CUT
from keras_gans.schemes.cycada import CyCADA
from keras_gans.schemes.cyclegan import CycleGAN
from keras_gans.schemes.dcgan import DCGAN
from keras_gans.schemes.df_gan import DFGAN
from keras_gans.schemes.dragan import DRAGAN
from keras_gans.schemes.gan import VanillaGAN
from keras_gans.schemes.label_informed_aae import LabelInformedAAE
from keras_gans.schemes.lsgan import LSGAN
from keras_gans.schemes.pix2pix import Pix2Pix
from keras_gans.schemes.r3gan import R3GAN
from keras_gans.schemes.semi_supervised_aae import SemiSupervisedAAE
from keras_gans.schemes.sgan import SGAN
from keras_gans.schemes.sngan import SNGAN
from keras_gans.schemes.stackgan import StackGAN
from keras_gans.schemes.text_to_image import TextToImage
from keras_gans.schemes.vae import VAE
from keras_gans.schemes.vae_gan import VAEGAN
from keras_gans.schemes.wgan import WGAN
from keras_gans.schemes.wgan_gp import WGANGP

__all__ = [
    "ACGAN",
    "AdversarialAutoencoder",
    "AdversarialNMT",
    "Autoencoder",
    "BEGAN",
    "CGAN",
    "CUT",
    "CyCADA",
    "CycleGAN",
    "DCGAN",
    "DFGAN",
    "DRAGAN",
    "LSGAN",
    "LabelInformedAAE",
    "Pix2Pix",
    "R3GAN",
    "SGAN",
    "SNGAN",
    "SemiSupervisedAAE",
    "StackGAN",
    "TextToImage",
    "VAE",
    "VAEGAN",
    "VanillaGAN",
    "WGAN",
    "WGANGP",
]

"""Functions that return a built keras.Model: generators from latents to samples, discriminators to raw scores,
encoders to codes."""

from keras_gans.networks.autoencoder import mlp_autoencoder
from keras_gans.networks.began import began_autoencoder, began_generator
from keras_gans.networks.dcgan import dcgan_discriminator, dcgan_encoder, dcgan_generator
from keras_gans.networks.df_gan import df_gan_discriminator, df_gan_generator
from keras_gans.networks.mlp import mlp_discriminator, mlp_encoder, mlp_generator
from keras_gans.networks.resnet import resnet_discriminator, resnet_generator
from keras_gans.networks.sentences import sentence_encoder, sentence_table
from keras_gans.networks.seq2seq import pair_grid_discriminator, rnn_search, transformer_translator
from keras_gans.networks.stackgan import stackgan_generator, stackgan_stage_1_generator
from keras_gans.networks.text import image_encoder, text_encoder
from keras_gans.networks.text_to_image import text_to_image_discriminator, text_to_image_generator
from keras_gans.networks.translation import patch_discriminator, plain_translator, resnet_translator, unet_translator

__all__ = [
    "began_autoencoder",
    "began_generator",
    "dcgan_discriminator",
    "dcgan_encoder",
    "dcgan_generator",
    "df_gan_discriminator",
    "df_gan_generator",
    "image_encoder",
    "mlp_autoencoder",
    "mlp_discriminator",
    "mlp_encoder",
    "mlp_generator",
    "pair_grid_discriminator",
    "patch_discriminator",
    "plain_translator",
    "resnet_discriminator",
    "resnet_generator",
    "resnet_translator",
    "rnn_search",
    "transformer_translator",
    "sentence_encoder",
    "sentence_table",
    "stackgan_generator",
    "stackgan_stage_1_generator",
    "text_encoder",
    "text_to_image_discriminator",
    "text_to_image_generator",
    "unet_translator",
]

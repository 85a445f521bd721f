"""The peers that the benchmarks compare with: a plain Keras train_step, and PyTorch eager, on the same architecture."""

import keras
import tensorflow as tf

import keras_gans as kg


def plain_networks(case):
    """The case's networks with Keras's own batch normalization, as anyone would write them."""

    def stock(layer):
        if isinstance(layer, kg.layers.BatchNormalization):
            config = {**layer.get_config(), "synchronized": False}
            return keras.layers.BatchNormalization.from_config(config)
        return layer.__class__.from_config(layer.get_config())

    return [keras.models.clone_model(network, clone_function=stock) for network in case.networks()]


class PlainDCGAN(keras.Model):
    """DCGAN in the shape of the recipe on keras.io: real and generated images in one batch, latents drawn twice."""

    def __init__(self, case):
        super().__init__()
        self.generator, self.discriminator = plain_networks(case)
        self.latent_dim = case.latent_dim
        self.built = True

    def compile(self):
        super().compile(optimizer=None, jit_compile=False)
        self.d_optimizer, self.g_optimizer = (keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2))
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
        self.d_loss_metric = keras.metrics.Mean(name="d_loss")
        self.g_loss_metric = keras.metrics.Mean(name="g_loss")

    def train_step(self, real):
        batch = tf.shape(real)[0]
        generated = self.generator(tf.random.normal((batch, self.latent_dim)), training=True)
        combined = tf.concat([generated, real], axis=0)
        labels = tf.concat([tf.zeros((batch, 1)), tf.ones((batch, 1))], axis=0)
        with tf.GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(combined, training=True))
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights, strict=True))
        latents = tf.random.normal((batch, self.latent_dim))
        with tf.GradientTape() as tape:
            predictions = self.discriminator(self.generator(latents, training=True), training=True)
            g_loss = self.loss_fn(tf.ones((batch, 1)), predictions)
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights, strict=True))
        self.d_loss_metric.update_state(d_loss)
        self.g_loss_metric.update_state(g_loss)
        return {"d_loss": self.d_loss_metric.result(), "g_loss": self.g_loss_metric.result()}


class PlainWGANGP(keras.Model):
    """WGAN-GP in the shape of the recipe on keras.io: one real batch for all critic steps, three critic passes."""

    def __init__(self, case):
        super().__init__()
        self.generator, self.discriminator = plain_networks(case)
        self.latent_dim, self.d_steps = case.latent_dim, case.discriminator_steps
        self.built = True

    def compile(self):
        super().compile(optimizer=None, jit_compile=False)
        self.d_optimizer, self.g_optimizer = (keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.9) for _ in range(2))

    def gradient_penalty(self, real, fake):
        alpha = tf.random.uniform((tf.shape(real)[0], 1, 1, 1))
        interpolated = real + alpha * (fake - real)
        with tf.GradientTape() as tape:
            tape.watch(interpolated)
            predictions = self.discriminator(interpolated, training=True)
        gradients = tape.gradient(predictions, interpolated)
        norm = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=[1, 2, 3]) + 1e-12)
        return tf.reduce_mean((norm - 1.0) ** 2)

    def train_step(self, real):
        batch = tf.shape(real)[0]
        for _ in range(self.d_steps):
            latents = tf.random.normal((batch, self.latent_dim))
            with tf.GradientTape() as tape:
                fake = self.generator(latents, training=True)
                fake_logits = self.discriminator(fake, training=True)
                real_logits = self.discriminator(real, training=True)
                d_cost = tf.reduce_mean(fake_logits) - tf.reduce_mean(real_logits)
                d_loss = d_cost + 10.0 * self.gradient_penalty(real, fake)
            grads = tape.gradient(d_loss, self.discriminator.trainable_variables)
            self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_variables, strict=True))
        latents = tf.random.normal((batch, self.latent_dim))
        with tf.GradientTape() as tape:
            g_loss = -tf.reduce_mean(self.discriminator(self.generator(latents, training=True), training=True))
        grads = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_variables, strict=True))
        return {"d_loss": d_loss, "g_loss": g_loss}


def torch_step(case, bfloat16):
    """A function that takes one full PyTorch step of the case, eager and channels last."""
    import torch
    from torch import nn

    generator, discriminator = (_to_torch(network) for network in case.networks())
    betas = (0.5, 0.9) if case.scheme == "wgan_gp" else (0.5, 0.999)
    rate = 1e-4 if case.scheme == "wgan_gp" else 2e-4
    d_optimizer = torch.optim.Adam(discriminator.parameters(), rate, betas)
    g_optimizer = torch.optim.Adam(generator.parameters(), rate, betas)
    height, width, channels = case.image_shape
    real = torch.rand(case.batch_size, channels, height, width).to(memory_format=torch.channels_last) * 2 - 1
    bce = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(case.batch_size, 1), torch.zeros(case.batch_size, 1)

    def scored(images):
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return discriminator(images).float()

    def generated():
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return generator(torch.randn(case.batch_size, case.latent_dim)).float()

    def dcgan():
        fake = generated()
        d_optimizer.zero_grad()
        (bce(scored(real), ones) + bce(scored(fake.detach()), zeros)).backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        bce(scored(fake), ones).backward()
        g_optimizer.step()

    def wgan_gp():
        for _ in range(case.discriminator_steps):
            with torch.no_grad():
                fake = generated()
            mixing = torch.rand(case.batch_size, 1, 1, 1)
            mixed = (mixing * real + (1 - mixing) * fake).requires_grad_()
            gradient = torch.autograd.grad(scored(mixed).sum(), mixed, create_graph=True)[0]
            penalty = ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()
            d_optimizer.zero_grad()
            (scored(fake).mean() - scored(real).mean() + 10 * penalty).backward()
            d_optimizer.step()
        g_optimizer.zero_grad()
        (-scored(generated()).mean()).backward()
        g_optimizer.step()

    return wgan_gp if case.scheme == "wgan_gp" else dcgan


def _to_torch(network):
    """The same layers in PyTorch (weights are not copied: only the speed is compared)."""
    import torch
    from torch import nn

    modules = []
    for layer in network.layers:
        kind = type(layer).__name__
        if kind == "Dense":
            modules.append(nn.Linear(layer.input.shape[-1], layer.units, bias=layer.use_bias))
        elif kind == "Reshape":
            height, width, channels = layer.target_shape
            modules.append(nn.Unflatten(1, (channels, height, width)))
        elif kind == "BatchNormalization":
            modules.append(nn.BatchNorm2d(layer.gamma.shape[0]))
        elif kind == "LayerNormalization":
            modules.append(nn.LayerNorm([layer.gamma.shape[2], *layer.gamma.shape[:2]]))
        elif kind == "Upsample2D":
            channels = layer.input.shape[-1]
            modules.append(nn.ConvTranspose2d(channels, layer.filters, 4, 2, 1, bias=layer.use_bias))
        elif kind == "Conv2D":
            modules.append(nn.Conv2d(layer.input.shape[-1], layer.filters, 4, 2, 1, bias=layer.use_bias))
        elif kind in ("ReLU", "LeakyReLU", "Flatten"):
            modules.append({"ReLU": nn.ReLU(), "LeakyReLU": nn.LeakyReLU(0.2), "Flatten": nn.Flatten()}[kind])
        elif kind == "Activation":
            modules.append(nn.Tanh())
    return nn.Sequential(*modules).to(memory_format=torch.channels_last)

"""The two-player schemes as plain Keras loops, in the shape of keras.io's examples."""

import keras
import tensorflow as tf

from benchmarks.peers import PlainModel, plain_loops

cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
class_cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@plain_loops.register("dcgan")
class PlainGAN(PlainModel):
    """keras.io's DCGAN: real and generated images in one batch, latents drawn twice."""

    score_loss = cross_entropy

    def train_step(self, real):
        rows = tf.shape(real)[0]
        generated = self.generator(self.latents(rows), training=True)
        combined = tf.concat([generated, real], axis=0)
        targets = tf.concat([tf.zeros((rows, 1)), tf.ones((rows, 1))], axis=0)
        with tf.GradientTape() as tape:
            loss = self.score_loss(targets, self.discriminator(combined, training=True))
        self.apply_gradients("discriminator", tape, loss)
        with tf.GradientTape() as tape:
            scores = self.discriminator(self.generator(self.latents(rows), training=True), training=True)
            loss = self.score_loss(tf.ones((rows, 1)), scores)
        self.apply_gradients("generator", tape, loss)
        return self.results()


plain_loops.register("gan")(PlainGAN)


@plain_loops.register("lsgan")
class PlainLSGAN(PlainGAN):
    """The same with squared errors."""

    score_loss = keras.losses.MeanSquaredError()


class PlainWasserstein(PlainModel):
    """keras.io's WGAN: one real batch for all critic steps, each kind of sample in a pass of its own."""

    def critic_loss(self, real, fake):
        return tf.reduce_mean(self.discriminator(fake, training=True)) - tf.reduce_mean(
            self.discriminator(real, training=True)
        )

    def after_critic(self):
        pass

    def train_step(self, real):
        rows = tf.shape(real)[0]
        for _ in range(self.scheme_options["discriminator_steps"]):
            with tf.GradientTape() as tape:
                loss = self.critic_loss(real, self.generator(self.latents(rows), training=True))
            self.apply_gradients("discriminator", tape, loss)
            self.after_critic()
        with tf.GradientTape() as tape:
            scores = self.discriminator(self.generator(self.latents(rows), training=True), training=True)
            loss = -tf.reduce_mean(scores)
        self.apply_gradients("generator", tape, loss)
        return self.results()


@plain_loops.register("wgan")
class PlainWGAN(PlainWasserstein):
    """With clipped weights."""

    def after_critic(self):
        clip = self.scheme_options["clip"]
        for variable in self.discriminator.trainable_variables:
            variable.assign(tf.clip_by_value(variable, -clip, clip))


@plain_loops.register("wgan_gp")
class PlainWGANGP(PlainWasserstein):
    """With the gradient penalty, whose points take a third pass."""

    def critic_loss(self, real, fake):
        mixing = tf.random.uniform((tf.shape(real)[0], 1, 1, 1))
        norms = gradient_norms(self.discriminator, real + mixing * (fake - real))
        weight = self.scheme_options["gradient_penalty_weight"]
        return super().critic_loss(real, fake) + weight * tf.reduce_mean((norms - 1.0) ** 2)


def gradient_norms(discriminator, points):
    """Each point's norm of the discriminator's gradient."""
    with tf.GradientTape() as tape:
        tape.watch(points)
        scores = discriminator(points, training=True)
    gradients = tape.gradient(scores, points)
    return tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=[1, 2, 3]) + 1e-12)


@plain_loops.register("dragan")
class PlainDRAGAN(PlainModel):
    """The GAN's two losses, and a third pass of the discriminator for the points of the penalty."""

    def train_step(self, real):
        rows = tf.shape(real)[0]
        noise = 0.5 * tf.math.reduce_std(real) * tf.random.uniform(tf.shape(real))
        points = real + tf.random.uniform((rows, 1, 1, 1)) * noise
        targets = tf.concat([tf.zeros((rows, 1)), tf.ones((rows, 1))], axis=0)
        generated = self.generator(self.latents(rows), training=True)
        with tf.GradientTape() as tape:
            scores = self.discriminator(tf.concat([generated, real], axis=0), training=True)
            # A row of the loss is an image's, as in the original game, where both sums count in full.
            loss = 2.0 * cross_entropy(targets, scores)
            loss += 10.0 * tf.reduce_mean((gradient_norms(self.discriminator, points) - 1.0) ** 2)
        self.apply_gradients("discriminator", tape, loss)
        with tf.GradientTape() as tape:
            scores = self.discriminator(self.generator(self.latents(rows), training=True), training=True)
            loss = cross_entropy(tf.ones((rows, 1)), scores)
        self.apply_gradients("generator", tape, loss)
        return self.results()


@plain_loops.register("sngan")
class PlainSNGAN(PlainModel):
    """The hinge loss, with Keras's layer of spectral normalization, which iterates in every pass."""

    def train_step(self, real):
        rows = tf.shape(real)[0]
        generated = self.generator(self.latents(rows), training=True)
        with tf.GradientTape() as tape:
            fake, judged = tf.split(self.discriminator(tf.concat([generated, real], axis=0), training=True), 2)
            loss = tf.reduce_mean(tf.nn.relu(1.0 - judged)) + tf.reduce_mean(tf.nn.relu(1.0 + fake))
        self.apply_gradients("discriminator", tape, loss)
        with tf.GradientTape() as tape:
            scores = self.discriminator(self.generator(self.latents(rows), training=True), training=True)
            loss = -tf.reduce_mean(scores)
        self.apply_gradients("generator", tape, loss)
        return self.results()


@plain_loops.register("r3gan")
class PlainR3GAN(PlainModel):
    """Huang et al.'s loop: the relativistic loss, and a pass for each of the two penalties."""

    def train_step(self, real):
        rows = tf.shape(real)[0]
        generated = self.generator(self.latents(rows), training=True)
        with tf.GradientTape() as tape:
            difference = self.discriminator(real, training=True) - self.discriminator(generated, training=True)
            loss = tf.reduce_mean(tf.nn.softplus(-difference))
            for images in (real, generated):
                loss += 0.5 * tf.reduce_mean(gradient_norms(self.discriminator, images) ** 2)
        self.apply_gradients("discriminator", tape, loss)
        with tf.GradientTape() as tape:
            generated = self.generator(self.latents(rows), training=True)
            difference = self.discriminator(generated, training=True) - self.discriminator(real, training=True)
            loss = tf.reduce_mean(tf.nn.softplus(-difference))
        self.apply_gradients("generator", tape, loss)
        return self.results()


class PlainConditional(PlainModel):
    """What both class-conditional loops share."""

    def drawn_labels(self, rows):
        return tf.random.uniform((rows,), maxval=10, dtype=tf.int64)


@plain_loops.register("cgan")
class PlainCGAN(PlainConditional):
    """keras.io's conditional GAN: one batch of real and generated images with their labels."""

    def train_step(self, data):
        real, labels = data
        rows = tf.shape(real)[0]
        drawn = self.drawn_labels(rows)
        generated = self.generator([self.latents(rows), drawn], training=True)
        combined = [tf.concat([generated, real], axis=0), tf.concat([drawn, labels], axis=0)]
        targets = tf.concat([tf.zeros((rows, 1)), tf.ones((rows, 1))], axis=0)
        with tf.GradientTape() as tape:
            loss = cross_entropy(targets, self.discriminator(combined, training=True))
        self.apply_gradients("discriminator", tape, loss)
        drawn = self.drawn_labels(rows)
        with tf.GradientTape() as tape:
            generated = self.generator([self.latents(rows), drawn], training=True)
            loss = cross_entropy(tf.ones((rows, 1)), self.discriminator([generated, drawn], training=True))
        self.apply_gradients("generator", tape, loss)
        return self.results()


@plain_loops.register("acgan")
class PlainACGAN(PlainConditional):
    """The same with the class predicted instead of seen."""

    def both_losses(self, targets, labels, images):
        scores, class_logits = self.discriminator(images, training=True)
        return cross_entropy(targets, scores) + class_cross_entropy(labels, class_logits)

    def train_step(self, data):
        real, labels = data
        rows = tf.shape(real)[0]
        drawn = self.drawn_labels(rows)
        generated = self.generator([self.latents(rows), drawn], training=True)
        targets = tf.concat([tf.zeros((rows, 1)), tf.ones((rows, 1))], axis=0)
        both_labels = tf.concat([drawn, labels], axis=0)
        with tf.GradientTape() as tape:
            loss = self.both_losses(targets, both_labels, tf.concat([generated, real], axis=0))
        self.apply_gradients("discriminator", tape, loss)
        drawn = self.drawn_labels(rows)
        with tf.GradientTape() as tape:
            generated = self.generator([self.latents(rows), drawn], training=True)
            loss = self.both_losses(tf.ones((rows, 1)), drawn, generated)
        self.apply_gradients("generator", tape, loss)
        return self.results()


@plain_loops.register("sgan")
class PlainSGAN(PlainModel):
    """Salimans et al.'s classifier with feature matching, the generator compared with the same real batch."""

    def train_step(self, data):
        real, labels = data
        rows = tf.shape(real)[0]
        labelled = tf.cast(labels >= 0, tf.float32)
        unlabelled = 1.0 - labelled
        fake = self.generator(self.latents(rows), training=True)
        with tf.GradientTape() as tape:
            logits, _ = self.discriminator(real, training=True)
            fake_logits, _ = self.discriminator(fake, training=True)
            classes = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
            loss = tf.reduce_sum(labelled * classes) / tf.reduce_sum(labelled)
            is_real = tf.nn.softplus(-tf.reduce_logsumexp(logits, axis=1))
            is_fake = tf.nn.softplus(tf.reduce_logsumexp(fake_logits, axis=1))
            loss += 0.5 * tf.reduce_sum(unlabelled * is_real) / tf.reduce_sum(unlabelled)
            loss += 0.5 * tf.reduce_mean(is_fake)
        self.apply_gradients("discriminator", tape, loss)
        with tf.GradientTape() as tape:
            fake = self.generator(self.latents(rows), training=True)
            features = self.discriminator(fake, training=True)[1]
            wanted = self.discriminator(real, training=True)[1]
            mean = tf.reduce_sum(unlabelled[:, None] * wanted, axis=0) / tf.reduce_sum(unlabelled)
            loss = tf.reduce_mean(tf.square(mean - tf.reduce_mean(features, axis=0)))
        self.apply_gradients("generator", tape, loss)
        return self.results()


@plain_loops.register("began")
class PlainBEGAN(PlainModel):
    """BEGAN's two losses and its control of k in keras.io's order: D's step, then G's on samples of its own."""

    def __init__(self, case):
        super().__init__(case)
        self.k = tf.Variable(0.0, trainable=False)

    def error(self, images):
        return tf.reduce_mean(tf.abs(images - self.discriminator(images, training=True)))

    def train_step(self, real):
        rows = tf.shape(real)[0]
        generated = self.generator(tf.random.uniform((rows, self.latent_dim), -1.0, 1.0), training=True)
        with tf.GradientTape() as tape:
            real_error, fake_error = self.error(real), self.error(generated)
            loss = real_error - self.k * fake_error
        self.apply_gradients("discriminator", tape, loss)
        with tf.GradientTape() as tape:
            latents = tf.random.uniform((rows, self.latent_dim), -1.0, 1.0)
            loss = self.error(self.generator(latents, training=True))
        self.apply_gradients("generator", tape, loss)
        balance = self.scheme_options["gamma"] * real_error - loss
        self.k.assign(tf.clip_by_value(self.k + self.scheme_options["lambda_k"] * balance, 0.0, 1.0))
        return self.results()

"""The schemes with an encoder as plain Keras loops."""

import keras
import tensorflow as tf

from benchmarks.peers import PlainModel, plain_loops

cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
squared_error = keras.losses.MeanSquaredError()


@plain_loops.register("autoencoder")
class PlainAutoencoder(PlainModel):
    """One network after the other, and the squared error."""

    def train_step(self, real):
        with tf.GradientTape() as tape:
            loss = squared_error(real, self.decoder(self.encoder(real, training=True), training=True))
        self.apply_gradients("autoencoder", tape, loss)
        return self.results()


@plain_loops.register("aae")
class PlainAAE(PlainModel):
    """The three updates of the best-known public codes: reconstruction, discriminator, encoder."""

    def score(self, codes, labels):
        return self.discriminator(codes if labels is None else [codes, labels], training=True)

    def train_step(self, data):
        real, labels = data if isinstance(data, tuple) else (data, None)
        rows = tf.shape(real)[0]
        with tf.GradientTape() as tape:
            loss = squared_error(real, self.decoder(self.encoder(real, training=True), training=True))
        self.apply_gradients("autoencoder", tape, loss)
        codes = self.encoder(real, training=True)
        with tf.GradientTape() as tape:
            prior_scores, code_scores = self.score(self.latents(rows), labels), self.score(codes, labels)
            loss = cross_entropy(tf.ones((rows, 1)), prior_scores) + cross_entropy(tf.zeros((rows, 1)), code_scores)
        self.apply_gradients("discriminator", tape, loss)
        with tf.GradientTape() as tape:
            loss = cross_entropy(tf.ones((rows, 1)), self.score(self.encoder(real, training=True), labels))
        self.apply_gradients("generator", tape, loss)
        return self.results()


@plain_loops.register("label_informed_aae")
class PlainLabelInformedAAE(PlainAAE):
    """The same, the discriminator seeing the label; draws of a plain normal stand for the labelled prior's."""


@plain_loops.register("vae_gan")
class PlainVAEGAN(PlainModel):
    """All three losses of one forward pass on one tape, each player's gradients taken from it."""

    def train_step(self, real):
        rows = tf.shape(real)[0]
        ones, zeros = tf.ones((rows, 1)), tf.zeros((rows, 1))
        with tf.GradientTape(persistent=True) as tape:
            mean, log_variance = self.encoder(real, training=True)
            copies = self.decoder(mean + tf.exp(0.5 * log_variance) * self.latents(rows), training=True)
            drawn = self.decoder(self.latents(rows), training=True)
            (real_scores, wanted), (copy_scores, features) = (
                self.discriminator(images, training=True) for images in (real, copies)
            )
            drawn_scores, _ = self.discriminator(drawn, training=True)
            divergence = 0.5 * tf.reduce_sum(mean**2 + tf.exp(log_variance) - 1.0 - log_variance, axis=1)
            error = 0.5 * tf.reduce_mean(tf.reduce_sum(tf.square(wanted - features), axis=1))
            encoder_loss = self.scheme_options["prior_weight"] * tf.reduce_mean(divergence) + error
            fooled = 0.5 * (cross_entropy(ones, copy_scores) + cross_entropy(ones, drawn_scores))
            decoder_loss = self.scheme_options["gamma"] * error + fooled
            found = 0.5 * (cross_entropy(zeros, copy_scores) + cross_entropy(zeros, drawn_scores))
            discriminator_loss = cross_entropy(ones, real_scores) + found
        self.apply_gradients("encoder", tape, encoder_loss)
        self.apply_gradients("decoder", tape, decoder_loss)
        self.apply_gradients("discriminator", tape, discriminator_loss)
        return self.results()


@plain_loops.register("vae")
class PlainVAE(PlainModel):
    """Divergence and squared error on one tape, as keras.io's example."""

    def train_step(self, real):
        with tf.GradientTape() as tape:
            mean, log_variance = self.encoder(real, training=True)
            copies = self.decoder(mean + tf.exp(0.5 * log_variance) * tf.random.normal(tf.shape(mean)), training=True)
            divergence = 0.5 * tf.reduce_sum(mean**2 + tf.exp(log_variance) - 1.0 - log_variance, axis=1)
            error = 0.5 * tf.reduce_sum(tf.square(real - copies), axis=(1, 2, 3))
            loss = tf.reduce_mean(self.scheme_options["prior_weight"] * divergence + error)
        self.apply_gradients("autoencoder", tape, loss)
        return self.results()


@plain_loops.register("semi_supervised_aae")
class PlainSemiSupervisedAAE(PlainModel):
    """The five updates one after the other, over the whole batch, the classes masked where a row has no label."""

    def codes(self, real):
        outputs = self.encoder(real, training=True)
        classes = outputs.shape[1] - self.discriminator.inputs[0].shape[1]
        return outputs[:, :classes], outputs[:, classes:]

    def play(self, player, network, prior, codes):
        """One adversary's update on codes made before."""
        with tf.GradientTape() as tape:
            loss = cross_entropy(tf.ones((prior.shape[0], 1)), network(prior, training=True))
            loss += cross_entropy(tf.zeros((codes.shape[0], 1)), network(codes, training=True))
        self.apply_gradients(player, tape, loss)

    def train_step(self, data):
        real, labels = data
        rows = real.shape[0]
        with tf.GradientTape() as tape:
            logits, style = self.codes(real)
            copies = self.decoder(tf.concat([tf.nn.softmax(logits), style], axis=1), training=True)
            loss = squared_error(real, copies)
        self.apply_gradients("autoencoder", tape, loss)
        logits, style = self.codes(real)
        drawn = tf.one_hot(tf.random.uniform((rows,), maxval=logits.shape[1], dtype=tf.int32), logits.shape[1])
        self.play("discriminator", self.discriminator, tf.random.normal(style.shape), style)
        self.play("class_discriminator", self.class_discriminator, drawn, tf.nn.softmax(logits))
        with tf.GradientTape() as tape:
            logits, style = self.codes(real)
            loss = cross_entropy(tf.ones((rows, 1)), self.discriminator(style, training=True))
            loss += cross_entropy(tf.ones((rows, 1)), self.class_discriminator(tf.nn.softmax(logits), training=True))
        self.apply_gradients("generator", tape, loss)
        with tf.GradientTape() as tape:
            labelled = tf.cast(labels >= 0, tf.float32)
            entropies = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), self.codes(real)[0])
            loss = tf.reduce_sum(labelled * entropies) / tf.reduce_sum(labelled)
        self.apply_gradients("classifier", tape, loss)
        return self.results()

"""Schemes that draw to texts as plain Keras loops, once the text encoder has learned."""

import keras
import tensorflow as tf

from benchmarks.peers import PlainModel, plain_loops

cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)


class PlainTextModel(PlainModel):
    """Codes of a batch's texts, and the next row's text as the wrong one."""

    def __init__(self, case):
        super().__init__(case)
        self.tokenizer = case.model().tokenizer

    def codes(self, texts):
        codes = self.text_encoder(self.tokenizer(texts), training=False)
        return codes, tf.roll(codes, 1, axis=0)

    def judged(self, judge, real, codes, wrong, fake):
        """Scores of the three kinds of pairs."""
        return [judge(pair, training=True) for pair in ([real, codes], [real, wrong], [fake, codes])]


def matching_aware(right, wrong, fake):
    """The loss of a discriminator that also knows wrong texts."""
    zeros = tf.zeros_like(fake)
    loss = cross_entropy(tf.ones_like(right), right)
    return loss + 0.5 * cross_entropy(zeros, wrong) + 0.5 * cross_entropy(zeros, fake)


@plain_loops.register("text_to_image")
class PlainTextToImage(PlainTextModel):
    """GAN-CLS, and GAN-INT's second pass of the generator."""

    def train_step(self, data):
        real, texts = data
        codes, wrong = self.codes(texts)
        rows = tf.shape(real)[0]
        fake = self.generator([self.latents(rows), codes], training=True)
        with tf.GradientTape() as tape:
            loss = matching_aware(*self.judged(self.discriminator, real, codes, wrong, fake))
        self.apply_gradients("discriminator", tape, loss)
        with tf.GradientTape() as tape:
            loss = 0.0
            for each in (codes, 0.5 * (codes + wrong)):
                scores = self.discriminator([self.generator([self.latents(rows), each], training=True), each])
                loss += cross_entropy(tf.ones_like(scores), scores)
        self.apply_gradients("generator", tape, loss)
        return self.results()


@plain_loops.register("df_gan")
class PlainDFGAN(PlainTextModel):
    """The hinge loss, and the penalty on the slopes at real images with their texts."""

    def train_step(self, data):
        real, texts = data
        codes, wrong = self.codes(texts)
        rows = tf.shape(real)[0]
        fake = self.generator([self.latents(rows), codes], training=True)
        with tf.GradientTape() as tape:
            scores = self.judged(self.discriminator, real, codes, wrong, fake)
            loss = tf.reduce_mean(tf.nn.relu(1.0 - scores[0]))
            loss += 0.5 * sum(tf.reduce_mean(tf.nn.relu(1.0 + each)) for each in scores[1:])
            with tf.GradientTape() as inner:
                inner.watch([real, codes])
                judged = self.discriminator([real, codes], training=True)
            slopes = inner.gradient(judged, [real, codes])
            norms = [tf.norm(tf.reshape(each, (rows, -1)) + 1e-12, axis=1) for each in slopes]
            loss += 2.0 * tf.reduce_mean(tf.add_n(norms) ** 6)
        self.apply_gradients("discriminator", tape, loss)
        with tf.GradientTape() as tape:
            fake = self.generator([self.latents(rows), codes], training=True)
            loss = -tf.reduce_mean(self.discriminator([fake, codes], training=True))
        self.apply_gradients("generator", tape, loss)
        return self.results()


@plain_loops.register("stackgan")
class PlainStackGAN(PlainTextModel):
    """Stage II upon a fixed stage I."""

    def noise(self, network, rows):
        return tf.random.normal((rows, network.inputs[2].shape[-1]))

    def made(self, codes, rows):
        first = [self.latents(rows), codes, self.noise(self.stage_1_generator, rows)]
        small = self.stage_1_generator(first, training=False)[0]
        return self.generator([tf.stop_gradient(small), codes, self.noise(self.generator, rows)], training=True)

    def train_step(self, data):
        real, texts = data
        codes, wrong = self.codes(texts)
        rows = tf.shape(real)[0]
        fake = self.made(codes, rows)[0]
        with tf.GradientTape() as tape:
            loss = matching_aware(*self.judged(self.discriminator, real, codes, wrong, fake))
        self.apply_gradients("discriminator", tape, loss)
        with tf.GradientTape() as tape:
            fake, mean, log_deviation = self.made(codes, rows)
            scores = self.discriminator([fake, codes], training=True)
            divergence = 0.5 * (tf.exp(2.0 * log_deviation) + mean**2 - 1.0) - log_deviation
            loss = cross_entropy(tf.ones_like(scores), scores) + 2.0 * tf.reduce_mean(divergence)
        self.apply_gradients("generator", tape, loss)
        return self.results()

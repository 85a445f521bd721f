"""Schemes that translate, images or sentences, as plain Keras loops."""

import keras
import tensorflow as tf

from benchmarks.cases import vocabularies
from benchmarks.peers import PlainModel, plain_loops
from keras_gans.engine.contrasting import at_places, features_of, projection_heads, sizes_of
from keras_gans.subwords import BEGIN, END, PAD, Subwords


class JointCycleGAN(PlainModel):
    """One forward pass of everything on one tape, and each player's gradients from it; without a pool of images."""

    def train_step(self, data):
        with tf.GradientTape(persistent=True) as tape:
            losses = self.terms(*data)[0]
        for player, loss in losses.items():
            self.apply_gradients(player, tape, loss)
        return self.results()

    def terms(self, real_a, real_b):
        """({player: loss}, translations)."""
        fake_b, fake_a = self.a_to_b(real_a, training=True), self.b_to_a(real_b, training=True)
        again_a, again_b = self.b_to_a(fake_b, training=True), self.a_to_b(fake_a, training=True)
        scores = {
            "a": (self.discriminator_a(real_a, training=True), self.discriminator_a(fake_a, training=True)),
            "b": (self.discriminator_b(real_b, training=True), self.discriminator_b(fake_b, training=True)),
        }
        fooled = sum(tf.reduce_mean(tf.square(fake - 1.0)) for _, fake in scores.values())
        cycles = tf.reduce_mean(tf.abs(real_a - again_a)) + tf.reduce_mean(tf.abs(real_b - again_b))
        losses = {"translators": fooled + 10.0 * cycles}
        for side, (real, fake) in scores.items():
            loss = tf.reduce_mean(tf.square(real - 1.0)) + tf.reduce_mean(tf.square(fake))
            losses[f"discriminator_{side}"] = 0.5 * loss
        return losses, (fake_b, fake_a)


@plain_loops.register("cyclegan")
class PlainCycleGAN(PlainModel):
    """keras.io's example, without its identity loss where the case has none.

    Each network has an optimizer of its own, and all four gradients are of one tape. A translator's loss holds the
    cycle that ends with it alone, so that less is differentiated than by the paper's joint loss; there is no pool.
    """

    def __init__(self, case):
        super().__init__(case)
        self.identity_weight = self.scheme_options.get("identity_weight", 0.0)
        owners = {role: player for player, roles in self.players.items() for role in roles}
        self.player_optimizers = {
            role: type(self.player_optimizers[player]).from_config(self.player_optimizers[player].get_config())
            for role, player in owners.items()
        }
        self.players = {role: (role,) for role in owners}
        self.trackers = {f"{role}_loss": keras.metrics.Mean(name=f"{role}_loss") for role in owners}
        self.adversarial, self.cycle = keras.losses.MeanSquaredError(), keras.losses.MeanAbsoluteError()

    def train_step(self, data):
        real_a, real_b = data
        with tf.GradientTape(persistent=True) as tape:
            fake_b, fake_a = self.a_to_b(real_a, training=True), self.b_to_a(real_b, training=True)
            again_a, again_b = self.b_to_a(fake_b, training=True), self.a_to_b(fake_a, training=True)
            if self.identity_weight:
                same_a, same_b = self.b_to_a(real_a, training=True), self.a_to_b(real_b, training=True)
            real_scores_a, fake_scores_a = (self.discriminator_a(image, training=True) for image in (real_a, fake_a))
            real_scores_b, fake_scores_b = (self.discriminator_b(image, training=True) for image in (real_b, fake_b))
            losses = {
                "a_to_b": self.deceiving(fake_scores_b) + 10.0 * self.cycle(real_b, again_b),
                "b_to_a": self.deceiving(fake_scores_a) + 10.0 * self.cycle(real_a, again_a),
                "discriminator_a": self.discriminating(real_scores_a, fake_scores_a),
                "discriminator_b": self.discriminating(real_scores_b, fake_scores_b),
            }
            if self.identity_weight:
                losses["a_to_b"] += 10.0 * self.identity_weight * self.cycle(real_b, same_b)
                losses["b_to_a"] += 10.0 * self.identity_weight * self.cycle(real_a, same_a)
        for player, loss in losses.items():
            self.apply_gradients(player, tape, loss)
        return self.results()

    def deceiving(self, scores):
        return self.adversarial(tf.ones_like(scores), scores)

    def discriminating(self, real, fake):
        return 0.5 * (self.adversarial(tf.ones_like(real), real) + self.adversarial(tf.zeros_like(fake), fake))


@plain_loops.register("cycada")
class PlainCyCADA(JointCycleGAN):
    """One joint loss, with a classifier of each collection, and what it says of the translations."""

    def train_step(self, data):
        real_a, label_a, real_b, label_b = data
        with tf.GradientTape(persistent=True) as tape:
            losses, fakes = super().terms(real_a, real_b)
            views = self.classifier_a(real_a, training=True), self.classifier_b(real_b, training=True)
            seen = self.classifier_b(fakes[0], training=True), self.classifier_a(fakes[1], training=True)
            losses["classifiers"] = 0.0
            for labels, view, translated in zip((label_a, label_b), views, seen, strict=True):
                known = tf.cast(labels >= 0, tf.float32)
                entropy = keras.losses.sparse_categorical_crossentropy(tf.maximum(labels, 0), view, from_logits=True)
                losses["classifiers"] += tf.reduce_sum(known * entropy) / tf.maximum(tf.reduce_sum(known), 1.0)
                classes = tf.where(labels >= 0, labels, tf.argmax(view, -1))
                entropy = keras.losses.sparse_categorical_crossentropy(classes, translated, from_logits=True)
                losses["translators"] += tf.reduce_mean(entropy)
        for player, loss in losses.items():
            self.apply_gradients(player, tape, loss)
        return self.results()


@plain_loops.register("cut")
class PlainCUT(PlainModel):
    """The patches' contrast as the authors write it, in features of Keras's own layers."""

    def __init__(self, case):
        super().__init__(case)
        ours = case.model()
        self.places, self.temperature = ours.patches, ours.temperature
        self.features = features_of(self.a_to_b)
        self.heads = projection_heads(self.features, ours.units, 0)

    def contrast(self, originals, translations):
        total = 0.0
        pairs = [self.features(images, training=True) for images in (translations, originals)]
        chosen = []
        for size in sizes_of(self.features):
            chosen.append(tf.random.shuffle(tf.range(size))[: self.places])
        queries, keys = (self.heads([at_places(*both) for both in zip(each, chosen, strict=True)]) for each in pairs)
        for query, key in zip(queries, keys, strict=True):
            products = tf.einsum("bqu,bku->bqk", query, tf.stop_gradient(key)) / self.temperature
            places = tf.broadcast_to(tf.range(tf.shape(products)[1]), tf.shape(products)[:2])
            each = keras.losses.sparse_categorical_crossentropy(places, products, from_logits=True)
            total += tf.reduce_mean(each) / len(queries)
        return total

    def train_step(self, data):
        real_a, real_b = data
        with tf.GradientTape(persistent=True) as tape:
            fake_b = self.a_to_b(real_a, training=True)
            fake_scores, real_scores = (self.discriminator_b(image, training=True) for image in (fake_b, real_b))
            losses = {"generator": tf.reduce_mean(tf.square(fake_scores - 1.0)) + self.contrast(real_a, fake_b)}
            losses["generator"] += self.contrast(real_b, self.a_to_b(real_b, training=True))
            loss = tf.reduce_mean(tf.square(real_scores - 1.0)) + tf.reduce_mean(tf.square(fake_scores))
            losses["discriminator"] = 0.5 * loss
        for player, loss in losses.items():
            self.apply_gradients(player, tape, loss)
        return self.results()


@plain_loops.register("pix2pix")
class PlainPix2Pix(PlainModel):
    """As TensorFlow's tutorial has it."""

    def train_step(self, data):
        real_a, real_b = data
        with tf.GradientTape(persistent=True) as tape:
            fake_b = self.a_to_b(real_a, training=True)
            scores = [
                self.discriminator(tf.concat([real_a, image], axis=-1), training=True) for image in (real_b, fake_b)
            ]
            error = tf.reduce_mean(tf.abs(real_b - fake_b))
            losses = {"generator": tf.reduce_mean(tf.nn.softplus(-scores[1])) + 100.0 * error}
            loss = tf.reduce_mean(tf.nn.softplus(-scores[0])) + tf.reduce_mean(tf.nn.softplus(scores[1]))
            losses["discriminator"] = 0.5 * loss
        for player, loss in losses.items():
            self.apply_gradients(player, tape, loss)
        return self.results()


@plain_loops.register("adversarial_nmt")
class PlainAdversarialNMT(PlainModel):
    """A step of the adversarial phase, with translations that are drawn by the whole network token by token."""

    def __init__(self, case):
        super().__init__(case)
        self.readers = [Subwords(vocabulary) for vocabulary in vocabularies().values()]
        self.length = self.discriminator.input_shape[0][1]
        self.baseline = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def drawn(self, source):
        """Tokens (batch, length) drawn from the policy."""
        rows = tf.shape(source)[0]
        tokens, done = tf.zeros((rows, self.length), tf.int32), tf.zeros((rows,), tf.bool)
        for place in range(self.length):
            logits = self.generator([source, self.shifted(tokens)], training=False)[:, place]
            token = tf.random.categorical(logits, 1, dtype=tf.int32)[:, 0]
            token = tf.where(done, PAD, token)
            tokens += token[:, tf.newaxis] * tf.one_hot(place, self.length, dtype=tf.int32)
            done |= token == END
        return tokens

    def shifted(self, tokens):
        return tf.concat([tf.fill((tf.shape(tokens)[0], 1), BEGIN), tokens[:, :-1]], axis=1)

    def judged(self, source, tokens):
        """D's raw scores of pairs, which it sees in the translator's vectors."""
        pair = (("source", source), ("target", tokens))
        vectors = [tf.stop_gradient(self.generator.vectors(side, each)) for side, each in pair]
        return self.discriminator(vectors, training=True)[:, 0]

    def errors(self, source, tokens):
        """-log p of each token, 0 for padding."""
        logits = self.generator([source, self.shifted(tokens)], training=True)
        each = keras.losses.sparse_categorical_crossentropy(tokens, logits, from_logits=True)
        return tf.where(tokens != PAD, each, 0.0)

    def train_step(self, data):
        source, target = (reader.encode(texts, self.length) for reader, texts in zip(self.readers, data, strict=True))
        drawn = self.drawn(source)
        with tf.GradientTape(persistent=True) as tape:
            scores = [self.judged(source, tokens) for tokens in (target, drawn)]
            rewards = tf.stop_gradient(tf.sigmoid(scores[1]))
            policy = (rewards - self.baseline) * tf.reduce_sum(self.errors(source, drawn), axis=1)
            words = tf.reduce_sum(tf.cast(target != PAD, tf.float32))
            likelihood = tf.reduce_sum(self.errors(source, target)) / words
            losses = {"generator": 0.5 * tf.reduce_mean(policy) + 0.5 * likelihood}
            losses["discriminator"] = tf.reduce_mean(tf.nn.softplus(-scores[0]) + tf.nn.softplus(scores[1]))
        for player, loss in losses.items():
            self.apply_gradients(player, tape, loss)
        self.baseline.assign(0.99 * self.baseline + 0.01 * tf.reduce_mean(rewards))
        return self.results()

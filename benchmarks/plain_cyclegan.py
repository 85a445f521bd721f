"""CycleGAN as a plain Keras loop."""

import tensorflow as tf

from benchmarks.peers import PlainModel, plain_loops


@plain_loops.register("cyclegan")
class PlainCycleGAN(PlainModel):
    """One forward pass of everything on one tape, and each player's gradients from it; without a pool of images."""

    def train_step(self, data):
        real_a, real_b = data
        with tf.GradientTape(persistent=True) as tape:
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
        for player, loss in losses.items():
            self.apply_gradients(player, tape, loss)
        return self.results()

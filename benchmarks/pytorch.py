"""DCGAN and WGAN-GP in PyTorch: the same layers, in the loop of PyTorch's own example at its best.

CycleGAN is `benchmarks.pytorch_cyclegan`.

Adam is fused, and the discriminator is frozen while the generator steps: the example differentiates towards its weights
there and throws the gradients away.
"""

import time

import numpy as np

from benchmarks import pytorch_cyclegan

SCHEMES = ("dcgan", "wgan_gp", "cyclegan")


def torch_step(case, bfloat16=False, device="cpu", compiled=False):
    """A function that takes one full step, channels last, and reads its loss, so that it has ended.

    Args:
        case: a `benchmarks.cases.Case` of one of `SCHEMES`.
        bfloat16: whether to compute under autocast.
        device: "cpu" or "cuda".
        compiled: whether the networks go through torch.compile; of WGAN-GP the generator alone, because torch.compile
            cannot differentiate twice, as the gradient penalty does.
    """
    if case.scheme == "cyclegan":
        return pytorch_cyclegan.step_of(case, bfloat16, device, compiled)
    return Step(case, bfloat16, device, compiled).take


class Step:
    """Networks, optimizers and a real batch; see `torch_step`."""

    def __init__(self, case, bfloat16, device, compiled):
        import torch

        if device == "cuda":
            # As TensorFlow multiplies float32 there: in TensorFloat-32.
            torch.set_float32_matmul_precision("high")
        self.take = self.wgan_gp if case.scheme == "wgan_gp" else self.dcgan
        self.torch, self.case, self.bfloat16, self.device = torch, case, bfloat16, device
        model = case.model()
        networks = [to_torch(network).to(device) for network in (model.generator, model.discriminator)]
        self.generator, self.discriminator = networks
        if compiled:
            self.generator = torch.compile(self.generator)
            self.discriminator = self.discriminator if case.scheme == "wgan_gp" else torch.compile(self.discriminator)
        self.latent_dim, self.critic_steps = model.latent_dim, model.discriminator_steps
        self.optimizers = []
        for player, network in zip(("generator", "discriminator"), networks, strict=True):
            ours = model.optimizers[player].get_config()
            betas = (ours["beta_1"], ours["beta_2"])
            self.optimizers.append(torch.optim.Adam(network.parameters(), ours["learning_rate"], betas, fused=True))
        height, width, channels = case.image_shape
        self.see(np.random.default_rng(0).uniform(-1, 1, (case.batch_size, height, width, channels)))
        self.loss = torch.nn.BCEWithLogitsLoss()
        self.ones, self.zeros = (fill(case.batch_size, 1, device=device) for fill in (torch.ones, torch.zeros))

    def see(self, images):
        """Takes a batch of real images, floats (batch, height, width, channels) in [-1, 1]."""
        # Channels last in memory, as they are.
        self.real = self.torch.tensor(images, dtype=self.torch.float32).permute(0, 3, 1, 2).to(self.device)

    def train(self, batches, seconds):
        """Takes steps on batches for so many seconds; returns their number."""
        started, steps, images = time.perf_counter(), 0, iter(batches)
        while time.perf_counter() - started < seconds:
            self.see(np.asarray(next(images)))
            self.take()
            steps += 1
        return steps

    def sample_shape(self):
        return self.case.image_shape

    def sample(self, count, seed=0):
        """uint8 (count, height, width, channels), in training mode as the batch statistics of PyTorch's example."""
        self.torch.manual_seed(seed)
        drawn = []
        with self.torch.no_grad():
            while sum(map(len, drawn)) < count:
                images = self.generated().permute(0, 2, 3, 1).cpu().numpy()
                drawn.append(np.clip(np.rint((images + 1) * 127.5), 0, 255).astype("uint8"))
        return np.concatenate(drawn)[:count]

    def _autocast(self):
        return self.torch.autocast(self.device, self.torch.bfloat16, enabled=self.bfloat16)

    def scored(self, images):
        with self._autocast():
            return self.discriminator(images).float()

    def generated(self):
        with self._autocast():
            return self.generator(self.torch.randn(self.case.batch_size, self.latent_dim, device=self.device)).float()

    def dcgan(self):
        d_optimizer = self.optimizers[1]
        fake = self.generated()
        d_optimizer.zero_grad()
        real_loss = self.loss(self.scored(self.real), self.ones)
        (real_loss + self.loss(self.scored(fake.detach()), self.zeros)).backward()
        d_optimizer.step()
        return self._move_generator(lambda: self.loss(self.scored(fake), self.ones))

    def _move_generator(self, loss_of):
        g_optimizer = self.optimizers[0]
        g_optimizer.zero_grad()
        self.discriminator.requires_grad_(False)
        loss = loss_of()
        loss.backward()
        self.discriminator.requires_grad_(True)
        g_optimizer.step()
        return float(loss.detach())

    def wgan_gp(self):
        torch, d_optimizer = self.torch, self.optimizers[1]
        for _ in range(self.critic_steps):
            with torch.no_grad():
                fake = self.generated()
            mixing = torch.rand(self.case.batch_size, 1, 1, 1, device=self.device)
            mixed = (mixing * self.real + (1 - mixing) * fake).requires_grad_()
            gradient = torch.autograd.grad(self.scored(mixed).sum(), mixed, create_graph=True)[0]
            penalty = ((gradient.flatten(1).square().sum(1) + 1e-12).sqrt() - 1).square().mean()
            d_optimizer.zero_grad()
            (self.scored(fake).mean() - self.scored(self.real).mean() + 10 * penalty).backward()
            d_optimizer.step()
        return self._move_generator(lambda: -self.scored(self.generated()).mean())


def to_torch(network):
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

"""DCGAN and WGAN-GP in PyTorch: the same layers, in the loop of PyTorch's own example."""

SCHEMES = ("dcgan", "wgan_gp")


def torch_step(case, bfloat16=False, device="cpu", compiled=False):
    """A function that takes one full step, channels last.

    Args:
        case: a `benchmarks.cases.Case` of one of `SCHEMES`.
        bfloat16: whether to compute under autocast.
        device: "cpu" or "cuda".
        compiled: whether the networks go through torch.compile.
    """
    import torch

    step = Step(case, bfloat16, device, compiled)
    take = step.wgan_gp if case.scheme == "wgan_gp" else step.dcgan

    def synchronized():
        take()
        if device == "cuda":
            torch.cuda.synchronize()

    return synchronized


class Step:
    """Networks, optimizers and a real batch; see `torch_step`."""

    def __init__(self, case, bfloat16, device, compiled):
        import torch

        self.torch, self.case, self.bfloat16, self.device = torch, case, bfloat16, device
        model = case.model()
        networks = [to_torch(network).to(device) for network in (model.generator, model.discriminator)]
        self.generator, self.discriminator = map(torch.compile, networks) if compiled else networks
        self.latent_dim, self.critic_steps = model.latent_dim, model.discriminator_steps
        self.optimizers = []
        for player, network in zip(("generator", "discriminator"), networks, strict=True):
            ours = model.optimizers[player].get_config()
            betas = (ours["beta_1"], ours["beta_2"])
            self.optimizers.append(torch.optim.Adam(network.parameters(), ours["learning_rate"], betas))
        height, width, channels = case.image_shape
        real = torch.rand(case.batch_size, channels, height, width, device=device) * 2 - 1
        self.real = real.to(memory_format=torch.channels_last)
        self.loss = torch.nn.BCEWithLogitsLoss()
        self.ones, self.zeros = (fill(case.batch_size, 1, device=device) for fill in (torch.ones, torch.zeros))

    def _autocast(self):
        return self.torch.autocast(self.device, self.torch.bfloat16, enabled=self.bfloat16)

    def scored(self, images):
        with self._autocast():
            return self.discriminator(images).float()

    def generated(self):
        with self._autocast():
            return self.generator(self.torch.randn(self.case.batch_size, self.latent_dim, device=self.device)).float()

    def dcgan(self):
        g_optimizer, d_optimizer = self.optimizers
        fake = self.generated()
        d_optimizer.zero_grad()
        real_loss = self.loss(self.scored(self.real), self.ones)
        (real_loss + self.loss(self.scored(fake.detach()), self.zeros)).backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        loss = self.loss(self.scored(fake), self.ones)
        loss.backward()
        g_optimizer.step()
        # Read, as every variant reads its losses, so that the step has ended.
        return float(loss)

    def wgan_gp(self):
        torch, (g_optimizer, d_optimizer) = self.torch, self.optimizers
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
        g_optimizer.zero_grad()
        loss = -self.scored(self.generated()).mean()
        loss.backward()
        g_optimizer.step()
        return float(loss)


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

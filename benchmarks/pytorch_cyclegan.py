"""CycleGAN in PyTorch: the layers of a case's networks in the loop of the authors' code.

Zhu et al.'s `optimize_parameters`: all translations, the translators' step with the discriminators frozen, then both
discriminators' on fakes that went through a pool of 50. Beyond it Adam is fused, the memory is channels last, and
instance normalization has a gain and an offset, as here; the deconvolutions are of 4x4, as here, not of 3x3.
"""

import itertools
import random

import numpy as np

from keras_gans.private_apis import operation_of


def step_of(case, bfloat16=False, device="cpu", compiled=False):
    """A function that takes one full step and reads its loss, so that it has ended.

    Args:
        case: a `benchmarks.cases.Case` of "cyclegan", of ResNet translators.
        bfloat16: whether to compute under autocast.
        device: "cpu" or "cuda".
        compiled: whether the networks go through torch.compile.
    """
    import torch

    model = case.model()
    roles = ("a_to_b", "b_to_a", "discriminator_a", "discriminator_b")
    networks = [_network(getattr(model, role)).to(device, memory_format=torch.channels_last) for role in roles]
    if compiled:
        networks = [torch.compile(network) for network in networks]
    a_to_b, b_to_a, discriminator_a, discriminator_b = networks
    judges = (discriminator_a, discriminator_b)
    ours = model.optimizers["translators"].get_config()
    options = {"lr": ours["learning_rate"], "betas": (ours["beta_1"], ours["beta_2"]), "fused": True}
    translators_optimizer, judges_optimizer = (
        torch.optim.Adam(itertools.chain(*(network.parameters() for network in pair)), **options)
        for pair in ((a_to_b, b_to_a), judges)
    )
    pools = [_Pool(model.pool_size) for _ in judges]
    real_a, real_b = (torch.tensor(np.moveaxis(images, -1, 1)).to(device) for images in case.batch())
    real_a, real_b = (images.contiguous(memory_format=torch.channels_last) for images in (real_a, real_b))
    mse, l1 = torch.nn.MSELoss(), torch.nn.L1Loss()

    def against(scores, value):
        return mse(scores, torch.full_like(scores, value))

    def take():
        with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
            fake_b, fake_a = a_to_b(real_a), b_to_a(real_b)
            again_a, again_b = b_to_a(fake_b), a_to_b(fake_a)
            for judge in judges:
                judge.requires_grad_(False)
            translators_optimizer.zero_grad()
            loss = against(discriminator_b(fake_b), 1.0) + against(discriminator_a(fake_a), 1.0)
            loss = loss + model.cycle_weight * (l1(again_a, real_a) + l1(again_b, real_b))
            if model.identity_weight:
                identity = l1(a_to_b(real_b), real_b) + l1(b_to_a(real_a), real_a)
                loss = loss + model.cycle_weight * model.identity_weight * identity
            loss.backward()
            translators_optimizer.step()
            for judge in judges:
                judge.requires_grad_(True)
            judges_optimizer.zero_grad()
            for judge, pool, real, fake in zip(judges, pools, (real_a, real_b), (fake_a, fake_b), strict=True):
                shown = pool.exchange(fake.detach())
                (0.5 * (against(judge(real), 1.0) + against(judge(shown), 0.0))).backward()
            judges_optimizer.step()
        return float(loss.detach())

    return take


class _Pool:
    def __init__(self, size):
        self.size, self.images = size, []

    def exchange(self, images):
        import torch

        shown = []
        for image in images:
            if len(self.images) < self.size:
                self.images.append(image)
            elif self.size and random.random() < 0.5:
                place = random.randrange(self.size)
                image, self.images[place] = self.images[place], image
            shown.append(image)
        return torch.stack(shown).contiguous(memory_format=torch.channels_last)


def _network(network):
    """The same layers in PyTorch (weights are not copied: only the speed is compared)."""
    from torch import nn

    made, order = nn.ModuleDict(), []

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = made

        def forward(self, images):
            held = {order[0][0]: images}
            for name, sources in order[1:]:
                taken = [held[source] for source in sources]
                held[name] = taken[0] + taken[1] if name not in self.layers else self.layers[name](taken[0])
            return held[order[-1][0]]

    for layer in network.layers:
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        sources = [] if not order else [operation_of(tensor) for tensor in inputs]
        order.append((layer.name, sources))
        kind = type(layer).__name__
        if sources and kind != "Add":
            made[layer.name] = _layer(nn, kind, layer, inputs[0].shape)
    return Network()


def _layer(nn, kind, layer, shape):
    if kind == "ReflectionPadding2D":
        return nn.ReflectionPad2d(layer.padding)
    if kind == "Conv2D":
        size, stride = layer.kernel_size[0], layer.strides[0]
        # "same" pads an even kernel of stride 1 by one more on one side.
        padding = "same" if layer.padding == "same" and stride == 1 else (size - 1) // 2 * (layer.padding == "same")
        return nn.Conv2d(shape[-1], layer.filters, size, stride, padding, bias=layer.use_bias)
    if kind == "Upsample2D":
        return nn.ConvTranspose2d(shape[-1], layer.filters, 4, 2, 1, bias=layer.use_bias)
    if kind == "InstanceNormalization":
        return nn.InstanceNorm2d(shape[-1], affine=True)
    if kind == "LeakyReLU":
        return nn.LeakyReLU(0.2)
    if kind == "ReLU":
        return nn.ReLU()
    if kind == "Activation":
        return nn.Tanh() if layer.activation.__name__ == "tanh" else nn.Identity()
    raise NotImplementedError(f"PyTorch's CycleGAN has no {kind} here.")

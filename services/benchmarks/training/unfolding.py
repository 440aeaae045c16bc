"""Convolutions as matrix products, which vmap turns into one batched product for all models in lockstep.

A GPU's grouped convolutions, to which vmap turns convolutions otherwise, can be slow for many groups. A batched product
never is, but it writes every patch of an image, so which one is faster depends on net and device (`ways.py`).
"""

from torch import Tensor, nn

__all__ = ["unfold_convolutions"]


class UnfoldedConv2d(nn.Conv2d):
    """The same layer as `nn.Conv2d`, computed as weights [out, in * kh * kw] times patches [in * kh * kw, n * h * w].

    `torch.nn.functional.unfold` is not used: on CUDA it starts a kernel for every image.
    """

    def forward(self, images: Tensor) -> Tensor:
        count = len(images)
        assert not isinstance(self.padding, str)
        rows, columns = self.padding
        if rows or columns:
            images = nn.functional.pad(images, (columns, columns, rows, rows))
        patches = images.unfold(2, self.kernel_size[0], self.stride[0]).unfold(3, self.kernel_size[1], self.stride[1])
        high, wide = patches.shape[2:4]
        matrix = patches.permute(1, 4, 5, 0, 2, 3).reshape(self.weight[0].numel(), count * high * wide)
        product = self.weight.flatten(1) @ matrix
        hidden = product.view(self.out_channels, count, high, wide).transpose(0, 1)
        return hidden if self.bias is None else hidden + self.bias[:, None, None]


def unfold_convolutions(net: nn.Module) -> nn.Module:
    """Make a net's convolutions matrix products, in place; leave grouped and dilated ones alone."""
    for layer in net.modules():
        if type(layer) is nn.Conv2d and _is_plain(layer):
            layer.__class__ = UnfoldedConv2d
    return net


def _is_plain(layer: nn.Conv2d) -> bool:
    return (
        layer.groups == 1
        and tuple(layer.dilation) == (1, 1)
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
    )

"""A small residual net with batch normalisation: a strided first layer, three residual blocks and a linear head."""

from collections.abc import Sequence

import torch
from torch import nn

__all__ = ["make"]

WIDTHS = (16, 32, 64)


class Block(nn.Module):
    """Two normalised 3x3 convolutions beside a shortcut, as in ResNet-18 (He et al., arXiv 1512.03385)."""

    def __init__(self, channels: int, wide: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, wide, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(wide)
        self.conv2 = nn.Conv2d(wide, wide, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels != wide:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, wide, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(wide)
            )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.bn1(self.conv1(images)))
        return torch.relu(self.bn2(self.conv2(hidden)) + self.downsample(images))


class SmallResNet(nn.Module):
    """Images [n, channels, height, width] of any size to logits [n, classes]. Layers have the names of ResNet-18."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, WIDTHS[0], kernel_size=3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.layer1 = Block(WIDTHS[0], WIDTHS[0], stride=1)
        self.layer2 = Block(WIDTHS[0], WIDTHS[1], stride=2)
        self.layer3 = Block(WIDTHS[1], WIDTHS[2], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(WIDTHS[2], classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.bn1(self.conv1(images)))
        hidden = self.layer3(self.layer2(self.layer1(hidden)))
        logits: torch.Tensor = self.fc(self.avgpool(hidden).flatten(1))
        return logits


def make(input_shape: Sequence[int], classes: int) -> nn.Module:
    """Make a model with torch's default initialisation."""
    return SmallResNet(input_shape[0], classes)

"""PSE in a stock network: look where it matters before the last stage of a timm ResNet-18.

Run it, or copy the eight lines of `resnet18_with_pse` into your own code. Nothing is downloaded; pass
pretrained=True to timm.create_model where you have its weights.
"""

from __future__ import annotations

import timm
import torch
from torch import nn

from facelocus.nn import PSEConv


def resnet18_with_pse(classes: int) -> nn.Module:
    network = timm.create_model("resnet18", num_classes=classes)
    # PSEConv takes B x C x H x W and returns the same shape, so it fits behind any stage;
    # it needs to know the stage's channels (here 256) and no sizes.
    channels = network.feature_info[3]["num_chs"]
    network.layer3 = nn.Sequential(network.layer3, PSEConv(channels))
    return network


def main() -> None:
    torch.manual_seed(0)
    network = resnet18_with_pse(classes=2)
    pse = network.layer3[1]
    print(f"PSE adds {sum(p.numel() for p in pse.parameters())} parameters")

    # Left bright or right bright: a toy that is learnt by looking at the right place.
    labels = torch.randint(0, 2, (16,))
    images = torch.randn(16, 3, 96, 96)
    images[labels == 0, :, :, :48] += 1
    images[labels == 1, :, :, 48:] += 1
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    for step in range(5):
        loss = nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        print(f"step {step}: loss {loss.item():.3f}")

    # Where it looked: the module returns its mask on request.
    network.eval()
    with torch.no_grad():
        features = network.layer3[0](network.layer2(network.layer1(network.maxpool(
            network.act1(network.bn1(network.conv1(images)))))))  # fmt: skip
        _, masks = pse(features, masks=True)
    print(f"masks: {tuple(masks.shape)}, {masks.min():.3f} to {masks.max():.3f}")


if __name__ == "__main__":
    main()

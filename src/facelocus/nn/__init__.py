"""The lab's networks: plain torch modules, each usable alone."""

from facelocus.nn.attention import PSEConv, PSEFullyConnected, SqueezeExcitation
from facelocus.nn.network import NetworkSpec, RegionNetwork

__all__ = ["NetworkSpec", "PSEConv", "PSEFullyConnected", "RegionNetwork", "SqueezeExcitation"]

"""attnviz shows what channel and spatial attention does inside a convolutional network.

    import attnviz

    network = attnviz.load("cbam_resnet18")        # one of attnviz.list_networks()
    trace = attnviz.trace(network, "dog.jpg")      # one forward pass, every gate kept
    trace.top(5)                                   # [(label, probability), ...]
    layer = trace.layers["layer3.1"]
    layer.channel                                  # (C,) float32: the factor on each channel
    layer.spatial                                  # (h, w) float32: the factor at each position
    layer.steps                                    # what was computed on the way to them
    attnviz.features(network, "dog.jpg", "layer3.1").after   # (C, h, w): the features behind the gate

    for trace in attnviz.traces(network, photos):  # any number of photos, in flat memory
        ...
"""

from .capture import Features, Found, Trace, features, find, trace, traces
from .errors import AttnvizError, NetworkError, PhotoError, TraceError
from .fast import fast
from .geometry import Recipe, Region
from .images import Photo, open_photo
from .layers import LayerAttention, Step
from .recording import Recording, record
from .zoo import list_networks, load

__version__ = "0.1.0"

__all__ = [
    "AttnvizError",
    "Features",
    "Found",
    "LayerAttention",
    "NetworkError",
    "Photo",
    "PhotoError",
    "Recipe",
    "Recording",
    "Region",
    "Step",
    "Trace",
    "TraceError",
    "fast",
    "features",
    "find",
    "list_networks",
    "load",
    "open_photo",
    "record",
    "trace",
    "traces",
]

"""attnviz shows what channel and spatial attention does inside a convolutional network.

In short::

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

from ._version import __version__ as __version__
from .capture.fast_copy import fast
from .capture.layer_attention import LayerAttention, Step
from .capture.recording import Recording, record
from .capture.run import features, find, trace, traces
from .capture.trace import Features, Found, Trace
from .errors import AttnvizError, NetworkError, PhotoError, TraceError
from .photos.geometry import Recipe, Region
from .photos.photo import Photo, open_photo
from .zoo.registry import list_networks, load

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


def _notebook_view(trace: Trace) -> str:
    """The viewer, when a trace is the last line of a notebook's cell; it works offline."""
    from .viewer.standalone import frame  # matplotlib's colours are slow to import

    return frame(trace)


Trace._repr_html_ = _notebook_view  # type: ignore[attr-defined]

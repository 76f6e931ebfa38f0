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

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from .capture.fast_copy import fast
    from .capture.layer_attention import LayerAttention, Step
    from .capture.recording import Recording, record
    from .capture.run import features, find, trace, traces
    from .capture.trace import Features, Found, Trace
    from .errors import AttnvizError, EditError, NetworkError, PhotoError, TraceError
    from .interventions.ablation import Ablation, ablate
    from .interventions.edit_json import edits_from_json, edits_to_json
    from .interventions.edits import Flat, Off, Patch, Scale, Set, Shuffle, Usual
    from .interventions.intervention import Intervention, intervene
    from .interventions.reference import Reference, load_reference, reference
    from .interventions.statistics import reestimated
    from .interventions.sweep import Sweep, sweep
    from .photos.geometry import Recipe, Region
    from .photos.opening import open_photo
    from .photos.photo import Photo
    from .zoo.registry import list_networks, load

__all__ = [
    "Ablation",
    "AttnvizError",
    "EditError",
    "Features",
    "Flat",
    "Found",
    "Intervention",
    "LayerAttention",
    "NetworkError",
    "Off",
    "Patch",
    "Photo",
    "PhotoError",
    "Recipe",
    "Recording",
    "Reference",
    "Region",
    "Scale",
    "Set",
    "Shuffle",
    "Step",
    "Sweep",
    "Trace",
    "TraceError",
    "Usual",
    "ablate",
    "edits_from_json",
    "edits_to_json",
    "fast",
    "features",
    "find",
    "intervene",
    "list_networks",
    "load",
    "load_reference",
    "open_photo",
    "record",
    "reestimated",
    "reference",
    "sweep",
    "trace",
    "traces",
]

# Where each public name stands. It is imported when it is first used: torch takes seconds, and neither
# ``attnviz --help`` nor the process that decodes pictures needs it.
_HOMES = {
    "capture.fast_copy": ("fast",),
    "capture.layer_attention": ("LayerAttention", "Step"),
    "capture.recording": ("Recording", "record"),
    "capture.run": ("features", "find", "trace", "traces"),
    "capture.trace": ("Features", "Found", "Trace"),
    "errors": ("AttnvizError", "EditError", "NetworkError", "PhotoError", "TraceError"),
    "interventions.ablation": ("Ablation", "ablate"),
    "interventions.edit_json": ("edits_from_json", "edits_to_json"),
    "interventions.edits": ("Flat", "Off", "Patch", "Scale", "Set", "Shuffle", "Usual"),
    "interventions.intervention": ("Intervention", "intervene"),
    "interventions.reference": ("Reference", "load_reference", "reference"),
    "interventions.statistics": ("reestimated",),
    "interventions.sweep": ("Sweep", "sweep"),
    "photos.geometry": ("Recipe", "Region"),
    "photos.opening": ("open_photo",),
    "photos.photo": ("Photo",),
    "zoo.registry": ("list_networks", "load"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_ROOMS = ("capture", "checkpoints", "errors", "interventions", "languages", "networks", "photos", "zoo")


def __getattr__(name: str) -> Any:
    """A public name, or a room, imported now."""
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if _HOME[name].startswith(("capture", "interventions")):
        from .capture.trace import Trace

        Trace._repr_html_ = _notebook_view  # type: ignore[attr-defined]
    globals()[name] = value  # asked for once
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _notebook_view(trace: "Trace") -> str:
    """The viewer, when a trace is the last line of a notebook's cell; it works offline."""
    from .viewer.standalone import frame  # matplotlib's colours are slow to import

    return frame(trace)

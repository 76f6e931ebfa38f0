"""What programs and agents can ask of the page's server: typed endpoints of Gradio's API, and with
``ATTNVIZ_MCP`` tools of the same names.

Their functions' docstrings are what the API's own pages say.
"""

import json
from asyncio import to_thread
from functools import wraps
from typing import Any, TypedDict

import gradio as gr
import numpy as np
from gradio.data_classes import FileData

from ..capture.run import find
from ..capture.trace import Trace
from ..errors import AttnvizError, EditError, NetworkError
from ..interventions.edit_json import EXAMPLE, LONGEST
from ..viewer.change import change
from ..zoo.registry import list_networks
from .asker import asked_by, asker_of
from .inference import TraceKey
from .service import Service
from .view_state import trace_key


class NetworkRow(TypedDict):
    """A network that can be asked for, and whether its weights are here already."""

    name: str
    title: str
    ready: bool


class LayerRow(TypedDict):
    """A layer of attention: its kind, how many channels its features have, and the size of its map for a
    square photo."""

    layer: str
    kind: str
    channels: int
    height: int
    width: int


class Gates(TypedDict):
    """The factors of one layer for one photo; empty where it has none, None where one can't be known."""

    layer: str
    kind: str
    channel: list[float | None]
    spatial: list[list[float | None]]


class Summary(TypedDict):
    """One layer for one photo in a few numbers, and where its map lies on the photo: left, top, right, bottom
    in pixels."""

    layer: str
    kind: str
    mean: float
    least: float
    greatest: float
    height: int
    width: int
    box: list[float]


class Explanation(TypedDict):
    """What a network said of a photo, and every layer of its attention."""

    network: str
    photo: str
    probabilities: dict[str, float]
    doubtful: bool | None  # whether the photo may well show none of its classes; null where not measured
    remarks: list[str]  # what was assumed of the photo, or could not be told
    layers: list[Summary]


class WhatIf(TypedDict):
    """What a network says of a photo with gates changed, and what it said before. A probability alone
    exaggerates: read the change of the score."""

    network: str  # it is called a changed network
    photo: str
    probabilities_before: dict[str, float]
    probabilities: dict[str, float]
    answer_changed: bool
    score_change: float | None  # of the class before, in logits; null where that is not known
    moved: dict[str, float | None]  # the mean size of the change of each layer's factor
    remarks: list[str]  # what is to be known of these edits
    layers: list[Summary]
    gates: Gates | None  # of the layer that was asked for


class Api:
    """The endpoints of one server."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def list_networks(self) -> list[NetworkRow]:
        """The networks that can be asked for, those that come with attnviz first. Others are downloaded when
        they are first asked for."""
        ready = {name for _, name in self._service.catalog.ready([])}
        choices = self._service.catalog.choices([])
        return [{"name": name, "title": title, "ready": name in ready} for title, name in choices]

    async def list_layers(self, request: gr.Request, network: str = "cbam_resnet18") -> list[LayerRow]:
        """The layers of attention of a network, in running order.

        Args:
            network: a name from list_networks
        """
        layers = await self._service.inference.forward_pass(_known_network(network), find)
        return [
            {
                "layer": row.layer,
                "kind": row.kind,
                "channels": row.shape[0],
                "height": row.shape[1],
                "width": row.shape[2],
            }
            for row in layers
        ]

    async def explain(
        self, request: gr.Request, photo: FileData, network: str = "cbam_resnet18", view: str = "whole"
    ) -> Explanation:
        """What a network says of a photo, the five most probable classes, and what its attention did, layer
        by layer. A gate is a multiplier inside the network, not a reason, and knows nothing of the class.

        Args:
            photo: a picture file
            network: a name from list_networks
            view: "whole", all of the photo, or "crop", the centre square that the network was measured with
        """
        trace = await self._service.inference.trace(await self._key(request, photo, network, view))
        return {
            "network": trace.network,
            "photo": trace.photo.name,
            "probabilities": dict(trace.top(5)),
            "doubtful": trace.doubtful,
            "remarks": [str(remark) for remark in trace.remarks],
            "layers": [_summary(trace, name) for name in trace.layers],
        }

    async def layer_gates(
        self,
        request: gr.Request,
        photo: FileData,
        layer: str,
        network: str = "cbam_resnet18",
        view: str = "whole",
    ) -> Gates:
        """All factors of one layer for a photo: one for each channel, and one for each position, row by row,
        where the layer has them.

        Args:
            photo: a picture file
            layer: a name from list_layers
            network: a name from list_networks
            view: "whole", all of the photo, or "crop", the centre square that the network was measured with
        """
        trace = await self._service.inference.trace(await self._key(request, photo, network, view))
        return _gates(trace, layer)

    async def what_if(
        self,
        request: gr.Request,
        photo: FileData,
        edits: str,
        network: str = "cbam_resnet18",
        view: str = "whole",
        layer: str = "",
    ) -> WhatIf:
        """What a network says of a photo if gates are changed: off (factor 1), as usual (the mean over other
        photos), set to a value. All later gates are computed anew. That an answer moves says what these gates
        do for this photo; what a gate looks like does not.

        Args:
            photo: a picture file
            edits: JSON by layer: {"layer3.1": "off", "layer4.0": {"edit": "set", "channel": [[17, 0.0]]}}
            network: a name from list_networks
            view: "whole", all of the photo, or "crop", the centre square that the network was measured with
            layer: a name from list_layers, to get all its gates too; empty for none
        """
        unchanged = await self._key(request, photo, network, view)
        asked = {"photo": self._service.photos.name_of(unchanged.photo), "network": network, "view": view}
        key = trace_key({**asked, "edits": _edits(edits)}, self._service.photos)
        after, before = [await self._service.inference.trace(each) for each in (key, unchanged)]
        changed = change(after, before)
        return {
            "network": after.network,
            "photo": after.photo.name,
            "probabilities_before": dict(before.top(5)),
            "probabilities": dict(after.top(5)),
            "answer_changed": changed["isOther"],
            "score_change": changed["scoreChange"],
            "moved": changed["moved"],
            "remarks": [str(remark) for remark in after.remarks],
            "layers": [_summary(after, name) for name in after.layers],
            "gates": _gates(after, layer) if layer else None,
        }

    async def bundle(
        self,
        request: gr.Request,
        photo: FileData,
        network: str = "cbam_resnet18",
        layer: str = "",
        view: str = "whole",
    ) -> FileData:
        """A zip of pictures (PNG, SVG), numbers (CSV, NPZ), a manifest, and a script that makes them again.

        Args:
            photo: a picture file
            network: a name from list_networks
            layer: a name from list_layers; empty for all layers
            view: "whole", all of the photo, or "crop", the centre square that the network was measured with
        """
        key = await self._key(request, photo, network, view)
        if layer:
            _known_layer(await self._service.inference.trace(key), layer)
        capture = {"photo": self._service.photos.name_of(key.photo), "network": network, "view": view}
        path = await self._service.bundles.write(
            {"what": "screen" if layer else "all", "tab": "explore", "layer": layer, "shown": [capture]},
            self._service.visitors.of(request.session_hash),
        )
        return FileData(path=str(path), orig_name="attnviz.zip").model_dump()  # type: ignore[return-value]

    async def _key(self, request: gr.Request, photo: Any, network: Any, view: Any) -> TraceKey:
        path = photo.get("path") if isinstance(photo, dict) else None
        if not isinstance(path, str):
            raise AttnvizError("photo_missing")
        photos, belongings = self._service.photos, self._service.visitors.of(request.session_hash)
        path_of_photo = photos.path_of(await to_thread(photos.take, path, belongings))
        return TraceKey(path_of_photo, _known_network(network), "crop" if view == "crop" else "whole")


def add_endpoints(service: Service, concurrency: dict[str, Any]) -> None:
    """Add a server's endpoints to the Blocks that are being built."""
    api = Api(service)
    for function in (
        api.list_networks,
        api.list_layers,
        api.explain,
        api.layer_gates,
        api.what_if,
        api.bundle,
    ):
        gr.api(_with_sentences(function), api_name=function.__name__, **concurrency)


def _with_sentences(function: Any) -> Any:
    """The function, done for who asks, and whose errors become the API's: a sentence."""

    @wraps(function)
    async def call(*arguments: Any, **named: Any) -> Any:
        request = next((value for value in arguments if isinstance(value, gr.Request)), None)
        try:
            with asked_by(asker_of(request)):
                return await function(*arguments, **named)
        except AttnvizError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return call


def _known_network(network: Any) -> str:
    if not isinstance(network, str) or network not in (
        *list_networks(),
        *list_networks("imagenet"),
    ):
        raise NetworkError("network_not_listed")
    return network


def _known_layer(trace: Trace, layer: Any) -> str:
    if not isinstance(layer, str) or layer not in trace.layers:
        raise AttnvizError("layer_not_listed", network=trace.network)
    return layer


def _edits(said: Any) -> Any:
    """The edits that a text of JSON says. Raises EditError for what is none, and where there are none."""
    try:
        edits = json.loads(said) if isinstance(said, str) else said
    except ValueError:
        raise EditError("edit_unreadable", text=repr(said)[:LONGEST], example=EXAMPLE) from None
    if not edits:
        raise EditError("edits_none", example=EXAMPLE)
    return edits


def _gates(trace: Trace, layer: Any) -> Gates:
    attention = trace.layers[_known_layer(trace, layer)]
    return {
        "layer": attention.name,
        "kind": attention.kind,
        "channel": _plain(attention.channel),
        "spatial": _plain(attention.map),
    }


def _summary(trace: Trace, name: str) -> Summary:
    layer = trace.layers[name]
    values = next(part for part in (layer.channel, layer.map, layer.paths) if part is not None)
    finite = values[np.isfinite(values)]
    if not finite.size:
        finite = np.zeros(1)
    return {
        "layer": name,
        "kind": layer.kind,
        "mean": float(finite.mean()),
        "least": float(finite.min()),
        "greatest": float(finite.max()),
        "height": layer.grid[0],
        "width": layer.grid[1],
        "box": [float(side) for side in trace.box(name)],
    }


def _plain(values: np.ndarray | None) -> list:
    """Values as lists, None where they are not finite."""
    if values is None:
        return []
    return np.where(np.isfinite(values), values.astype(object), np.array(None)).tolist()

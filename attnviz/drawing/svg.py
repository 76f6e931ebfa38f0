"""Marks as the elements of an SVG file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

import numpy as np

from .jpeg import jpeg
from .marks import Bars, Box, Dot, Line, Mark, Picture, Text
from .vector_pictures import printed, rectangles

FONTS = "DejaVu Sans, Verdana, sans-serif"
NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
BASELINES = {"top": ' dominant-baseline="hanging"', "middle": ' dominant-baseline="central"', "base": ""}


def svg(marks: Sequence[Mark], size: tuple[float, float], ground: str) -> bytes:
    """An SVG file of marks on a ground of one colour; ``size`` is (width, height) in points."""
    width, height = size
    extent = f'width="{width:g}pt" height="{height:g}pt" viewBox="0 0 {width:g} {height:g}"'
    lines = [
        f'<svg {NAMESPACES} {extent} font-family="{FONTS}">',
        f'<rect width="100%" height="100%" fill="{ground}"/>',
        *map(_element, marks),
        "</svg>",
    ]
    return "\n".join(lines).encode()


def _element(mark: Mark) -> str:
    if isinstance(mark, Bars):
        return f'<path fill="{mark.colour}" d="{_outline(mark)}"/>'
    if isinstance(mark, Picture):
        return _image(mark)
    if isinstance(mark, Dot):
        return _circle(mark)
    if isinstance(mark, Line):
        return _line(mark)
    return _text(mark)


def _outline(bars: Bars) -> str:
    edges = np.linspace(bars.left, bars.right, len(bars.heads) + 1)
    return "".join(
        f"M{left:.2f} {foot:.2f}V{head:.2f}H{right:.2f}V{foot:.2f}Z"
        for left, right, foot, head in zip(edges, edges[1:], bars.feet, bars.heads)
        if np.isfinite(head) and np.isfinite(foot)
    )


def _image(picture: Picture) -> str:
    """The cells as rectangles, in a group of their own; or the photo as a JPEG."""
    opacity = "" if picture.opacity == 1 else f' opacity="{picture.opacity:g}"'
    if picture.multiplies:
        opacity += ' style="mix-blend-mode:multiply"'
    if picture.cells:
        cells = "".join(f'<rect {_place(box)} fill="{colour}"/>' for box, colour in rectangles(picture))
        return f'<g{opacity} shape-rendering="crispEdges">{cells}</g>'
    content = b64encode(jpeg(printed(picture))).decode()
    link = f'xlink:href="data:image/jpeg;base64,{content}"'
    image = f'<image {_place(picture.box)} preserveAspectRatio="none"{opacity} {link}/>'
    if picture.within is None:
        return image
    left, top, right, bottom = picture.within  # an svg inside of another cuts off what lies outside
    view = f'viewBox="{left:.2f} {top:.2f} {right - left:.2f} {bottom - top:.2f}"'
    return f"<svg {_place(picture.within)} {view}>{image}</svg>"


def _place(box: Box) -> str:
    left, top, right, bottom = box
    return f'x="{left:.2f}" y="{top:.2f}" width="{right - left:.2f}" height="{bottom - top:.2f}"'


def _circle(dot: Dot) -> str:
    x, y = dot.at
    circle = f'cx="{x:.2f}" cy="{y:.2f}" r="{dot.diameter / 2:g}"'
    return f'<circle {circle} fill="{dot.colour}" fill-opacity="{dot.opacity:g}"/>'


def _line(line: Line) -> str:
    (x1, y1), (x2, y2) = line.start, line.end
    ends = f'x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}"'
    dash = f' stroke-dasharray="{line.dash[0]:g} {line.dash[1]:g}"' if line.dash else ""
    return f'<line {ends} stroke="{line.colour}" stroke-width="{line.width:g}"{dash}/>'


def _text(text: Text) -> str:
    x, y = text.at
    font = f'font-size="{text.size:g}" fill="{text.colour}"'
    anchor = "" if text.anchor == "start" else f' text-anchor="{text.anchor}"'
    turn = f' transform="rotate(-90 {x:.2f} {y:.2f})"' if text.turned else ""
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" {font}{anchor}{BASELINES[text.rise]}{turn}>{escape(text.text)}</text>'
    )

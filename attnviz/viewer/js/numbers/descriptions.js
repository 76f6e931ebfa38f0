// Layers in words, for those who can't see the pictures.
import { digits } from './format.js';

/** A layer: its kind, its size, and what its gates span. */
export function describeLayer(say, layer) {
  const { least, greatest } = layer.weightNumbers ?? layer.numbers;
  return say(layer.map ? 'layer_alt' : 'layer_alt_no_map', {
    layer: layer.name,
    kind: layer.title,
    channels: layer.channels,
    height: layer.height,
    width: layer.width,
    least: digits(least),
    greatest: digits(greatest),
  });
}

/** A layer's map: its size, what it spans, and where it is greatest. */
export function describeMap(say, layer) {
  const { least, greatest } = layer.numbers;
  const greatestIndex = Math.max(0, layer.map.values.indexOf(greatest));
  return say('map_alt', {
    layer: layer.name,
    height: layer.height,
    width: layer.width,
    least: digits(least),
    greatest: digits(greatest),
    row: Math.floor(greatestIndex / layer.width) + 1,
    column: (greatestIndex % layer.width) + 1,
  });
}

/** A photo with a layer's map on it, or without. */
export function describePicture(say, trace, layer) {
  return layer?.map ? describeMap(say, layer) : say('photo_alt', { photo: trace.photo.name });
}

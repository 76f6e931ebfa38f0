// The node that is lit, as large as there is room: its picture, its line, its formula, and the formula with numbers.
import { lineOf } from '../mechanism/following.js';
import { Formula } from '../mechanism/formula.js';
import { ColourBar } from '../drawing/colour_bar.js';
import { pictureProperties } from '../mechanism/diagram.js';
import { RoundingNote } from '../mechanism/panel.js';
import { isMap, mapColours, NodePicture, pictureSize } from '../mechanism/picture.js';
import { summary } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { h } from '../vendor/preact.js';
import { useLayoutEffect, useRef, useState } from '../vendor/preact-hooks.js';

const BAR = 1.9; // times the type's size, of a colour bar with its numbers

/** The stage of a node of a mechanism (see mechanism/following.js), with type of ``size`` pixels. */
export function Stage({ viewer, mechanism, node, size }) {
  const numbers = mechanism.known.get(node.key);
  return h(
    'div',
    { class: 'av-stage-of-node', 'aria-live': 'polite' },
    numbers && h(LargePicture, { viewer, mechanism, numbers, node, type: size }),
    h(
      'div',
      { class: 'av-stage-words' },
      h('p', { class: 'av-stage-line' }, lineOf(viewer, node)),
      h('p', { class: 'av-stage-formula' }, h(Formula, { tree: node.formula })),
      h(LargeNumbers, { mechanism, node }),
      numbers && h('p', { class: 'av-note' }, spanOf(viewer, numbers)),
      h(RoundingNote, { viewer, mechanism: { ...mechanism, diagram: { nodes: [node] } } }),
    ),
  );
}

/** The formula with numbers; of a node without, its number alone. */
function LargeNumbers({ mechanism: { numbers }, node }) {
  if (node.example)
    return h('p', { class: 'av-stage-numbers' }, h(Formula, { tree: node.example, numbers }));
  const { text } = numbers(node.key);
  return text === null ? null : h('p', { class: 'av-stage-numbers av-number' }, text);
}

function spanOf({ say }, { values, width, height, grain, shows }) {
  const { least, greatest } = summary(values);
  const [low, high] = [least, greatest].map((value) => digits(value, grain));
  const key = isMap({ shows }) ? 'step_cells' : 'step_values';
  return say(key, { low, high, count: values.length, height, width });
}

/** The picture in all the room that its place has; a map with what its colours stand for. */
function LargePicture({ viewer, mechanism, numbers, node, type }) {
  const place = useRef(null);
  const [room, setRoom] = useState([0, 0]);
  useLayoutEffect(() => {
    const measure = () => setRoom([place.current.clientWidth, place.current.clientHeight]);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  const bar = isMap(numbers) ? BAR * type : 0;
  const size = [room[0], Math.max(0, room[1] - bar)];
  const [width] = pictureSize(numbers, size);
  const marks = pictureProperties(mechanism);
  const inputs = [...marks.inputs, node.key, String(size)];
  const label = lineOf(viewer, node);
  return h(
    'div',
    { class: 'av-stage-picture', ref: place },
    size[1] > 0 &&
      h(
        'div',
        { class: 'av-stage-figure' },
        h(NodePicture, {
          viewer,
          numbers,
          ...marks,
          inputs,
          size,
          role: 'img',
          'aria-label': label,
        }),
        bar > 0 && h(ColourBar, { ...mapColours(numbers, viewer.state), width }),
      ),
  );
}

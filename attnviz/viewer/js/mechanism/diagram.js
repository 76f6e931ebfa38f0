// A mechanism as a diagram: its nodes are buttons with this photo's numbers, its edges lines below them.
import { stepOf } from '../controls/controls.js';
import { clamp } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';
import { useRef } from '../vendor/preact-hooks.js';
import { nodeLabel } from './following.js';
import { Formula } from './formula.js';
import { hasNumber, layoutOf } from './layout.js';
import { NodePicture } from './picture.js';

const RADIUS = 6; // px, of an edge's corners

/** The diagram of ``mechanism`` (see following.js) in ``room`` pixels. ``size`` is its type's, in pixels; ``lit`` the key of
 * the node that stands out, all others are dimmed; ``at`` that of the one which Tab leads to; ``onPoint`` gets the key of the node
 * under the pointer or with the focus, or null; ``onOpen`` that of one that is clicked. In a diagram to be ``isBrief`` nodes have the names
 * of their results above and no numbers below. */
export function Diagram({
  viewer,
  mechanism,
  room,
  size,
  lit,
  at,
  isBrief = false,
  narrowest,
  onPoint,
  onOpen,
}) {
  const { diagram } = mechanism;
  const list = useRef(null);
  if (!room) return null;
  const layout = layoutOf(diagram, room, size, !isBrief, narrowest);
  const kinds = ['av-diagram', lit && 'av-has-lit', layout.isTight && 'av-tight'];
  const here = Math.max(
    0,
    diagram.nodes.findIndex(({ key }) => key === (at ?? lit)),
  );
  const onKeyDown = (event) => {
    const step = stepOf(event);
    if (step === null || isBrief) return;
    event.preventDefault();
    const place = diagram.nodes.findIndex(({ key }) => key === event.target.dataset.node);
    const next = diagram.nodes[clamp(place + step, 0, diagram.nodes.length - 1)];
    list.current.querySelector(`[data-node="${next.key}"]`).focus();
  };
  const nodes = diagram.nodes.map((node, place) =>
    h(NodeButton, {
      key: node.key,
      viewer,
      mechanism,
      node,
      place: layout.nodes.get(node.key),
      size,
      isBrief,
      isLit: lit === node.key,
      isStop: place === here,
      onPoint,
      onOpen,
    }),
  );
  return h(
    'div',
    {
      class: kinds.filter(Boolean).join(' '),
      role: 'group',
      'aria-label': viewer.say('diagram_label', { kind: viewer.layer().title }),
      ref: list,
      onKeyDown,
      style: { width: `${room}px`, height: `${layout.height}px`, fontSize: `${size}px` },
    },
    h(Edges, { layout, room, lit }),
    layout.groups.map(({ words, box }) =>
      h(Frame, { key: words, text: viewer.say(words), box, layout }),
    ),
    nodes,
  );
}

function NodeButton(properties) {
  const { viewer, mechanism, node, place, size, isBrief, isLit, isStop, onPoint, onOpen } =
    properties;
  const { x, y, width, height, head, foot } = place;
  const numbers = mechanism.known.get(node.key);
  const { text } = mechanism.numbers(node.key);
  const kinds = [
    'av-node',
    node.small && 'av-small',
    numbers?.range && 'av-gate',
    isLit && 'av-lit',
    node.isEdited && 'av-edited',
  ];
  return h(
    'button',
    {
      type: 'button',
      class: kinds.filter(Boolean).join(' '),
      'data-node': node.key,
      tabIndex: isStop ? 0 : -1,
      'aria-label': nodeLabel(viewer, node, mechanism),
      'aria-current': isLit ? 'step' : undefined,
      style: {
        left: `${x - width / 2}px`,
        top: `${y - height / 2 - head}px`,
        width: `${width}px`,
        height: `${head + height + foot}px`,
      },
      onPointerEnter: () => onPoint?.(node.key),
      onPointerLeave: () => onPoint?.(null),
      onFocus: () => onPoint?.(node.key),
      onBlur: () => onPoint?.(null),
      onClick: () => onOpen(node.key),
    },
    node.isEdited && h('span', { class: 'av-node-edited' }, viewer.say('edit_node')),
    h(
      'span',
      { class: 'av-node-sign', style: node.small ? {} : { height: `${head}px` } },
      h(Formula, { tree: isBrief ? (node.symbol ?? node.sign) : node.sign }),
    ),
    !node.small &&
      h(
        'span',
        { class: 'av-node-picture', style: { height: `${height}px` } },
        numbers
          ? h(NodePicture, {
              viewer,
              numbers,
              ...pictureProperties(mechanism),
              size: [width - size * 0.5, height - size * 0.3],
            })
          : h(Photo, { viewer, node, height }),
      ),
    !isBrief &&
      text !== null &&
      (!node.small || hasNumber(mechanism.diagram, node)) &&
      h('span', { class: 'av-node-number' }, text),
  );
}

/** What a picture is marked with and depends on. */
export const pictureProperties = ({ channel, cell, inputs }) => ({ channel, cell, inputs });

/** In place of features that are not known: the photo, where it all begins. */
function Photo({ viewer, node, height }) {
  if (node.operation !== 'features') {
    const sign = viewer.host.features ? '…' : '–'; // on their way, or not in this page at all
    return h('span', { class: 'av-node-nothing' }, sign);
  }
  const { picture } = viewer.trace.photo;
  return h('img', { src: picture, alt: '', style: { maxHeight: `${height - 4}px` } });
}

/** Around a group, its words in the middle or, of a diagram that runs downwards, above its nodes. */
function Frame({ text, box: [left, top, width, height], layout }) {
  const name = layout.isDown ? 'av-frame av-topped' : 'av-frame';
  const style = { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` };
  return h('div', { class: name, style, 'aria-hidden': 'true' }, h('span', {}, text));
}

/** The edges, with arrows at their ends; those into the lit node stand out. */
function Edges({ layout, room, lit }) {
  const { edges, height } = layout;
  const lines = edges.map(({ start, end, points }) =>
    h('path', {
      class: lit === end ? 'av-edge av-lit' : 'av-edge',
      'data-edge': `${start} ${end}`,
      d: outline(points),
    }),
  );
  const heads = edges.map(({ end, points }) =>
    h('path', { class: lit === end ? 'av-arrow av-lit' : 'av-arrow', d: arrow(points) }),
  );
  const extent = { width: room, height, viewBox: `0 0 ${room} ${height}` };
  return h('svg', { ...extent, 'aria-hidden': 'true' }, lines, heads);
}

/** A line through points, its corners rounded. */
function outline(points) {
  const [first, ...others] = points;
  const parts = [`M${first}`];
  for (const [place, point] of others.entries()) {
    const next = others[place + 1];
    if (!next) parts.push(`L${point}`);
    else parts.push(`L${towards(point, points[place])}Q${point} ${towards(point, next)}`);
  }
  return parts.join('');
}

/** The place a corner's radius away from a point, towards another. */
function towards([x, y], [otherX, otherY]) {
  const distance = Math.hypot(otherX - x, otherY - y);
  const share = distance ? Math.min(RADIUS, distance / 2) / distance : 0;
  return [x + (otherX - x) * share, y + (otherY - y) * share];
}

/** The head of an arrow at the last of the points. */
function arrow(points) {
  const [x, y] = points.at(-1);
  const [fromX, fromY] = points.at(-2);
  const length = Math.hypot(x - fromX, y - fromY) || 1;
  const [across, down] = [(x - fromX) / length, (y - fromY) / length];
  const [baseX, baseY] = [x - 7 * across, y - 7 * down];
  return `M${x} ${y}L${baseX - 4 * down} ${baseY + 4 * across}L${baseX + 4 * down} ${baseY - 4 * across}Z`;
}

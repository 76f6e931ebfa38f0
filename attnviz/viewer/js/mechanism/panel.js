// How a layer's gates came about: the mechanism as a diagram with this photo's numbers, its formulas, once in signs and
// once in numbers.
import { withStrong } from '../app/words.js';
import { Button } from '../controls/controls.js';
import { useWidth } from '../drawing/surface.js';
import { TakeMenu } from '../save/take.js';
import { h } from '../vendor/preact.js';
import { useState } from '../vendor/preact-hooks.js';
import { Diagram } from './diagram.js';
import { lineOf, useMechanism, Whose } from './following.js';
import { Formula } from './formula.js';
import { MechanismTables } from './tables.js';

const TYPE = 15; // px
const NARROWEST = 3.9; // times the type's size, of a picture
const CRAMPED = { room: 1100, size: 14, narrowest: 3.4 }; // beside the lesson

/** The mechanism of ``viewer``'s layer. */
export function MechanismPanel({ viewer }) {
  const layer = viewer.layer();
  return layer ? h(LayerPanel, { viewer, layer }) : null;
}

function LayerPanel({ viewer, layer }) {
  const { say } = viewer;
  const mechanism = useMechanism(viewer, layer);
  const [element, room] = useWidth();
  const [pointed, setPointed] = useState(null); // a node's key
  const [stop, setStop] = useState(null); // the node that had the focus last
  const { diagram } = mechanism;
  const present = (key) => {
    const place = diagram.nodes.findIndex((node) => node.key === key);
    viewer.set({ present: true, step: place + 1 });
  };
  const onPoint = (key) => {
    setPointed(key);
    if (key) setStop(key);
  };
  return h(
    'section',
    {
      class: 'av-panel av-mechanism',
      'data-part': 'mechanism',
      'aria-labelledby': 'av-mechanism-title',
    },
    h(
      'div',
      { class: 'av-mechanism-head' },
      h(
        'h2',
        { id: 'av-mechanism-title' },
        say('mechanism_title', { kind: layer.title, layer: layer.name }),
      ),
      h(Whose, { viewer, mechanism }),
      h(
        'div',
        { class: 'av-row' },
        h(
          Button,
          {
            class: 'av-button av-primary',
            'data-present': '',
            onClick: () => present(diagram.nodes[0].key),
          },
          say('present'),
        ),
        h(TakeMenu, { viewer, figure: 'steps', isVector: true }),
      ),
    ),
    viewer.tools && h(viewer.tools.EditedNote, { viewer, layer }),
    h(
      'div',
      { class: 'av-measure', ref: element },
      h(Diagram, {
        viewer,
        mechanism,
        room,
        ...typeIn(viewer, room),
        at: stop,
        onPoint,
        onOpen: present,
      }),
    ),
    h(Readout, { viewer, mechanism, node: diagram.nodes.find(({ key }) => key === pointed) }),
    h(FormulaLines, { viewer, mechanism }),
    h(
      'p',
      { class: 'av-prose' },
      withStrong(say(`mechanism_${layer.kind}`)),
      ' ',
      h('em', {}, say('not_grad_cam')),
    ),
    diagram.note && h('p', { class: 'av-note' }, say(diagram.note)),
    h(Source, { viewer, diagram }),
    h(MechanismTables, { viewer, mechanism }),
  );
}

/** The size of the diagram's type and the least width of its pictures: smaller where the lesson takes room. */
function typeIn({ state }, room) {
  if (!state.learn || room >= CRAMPED.room) return { size: TYPE, narrowest: NARROWEST };
  const { size, narrowest } = CRAMPED;
  return { size, narrowest };
}

/** One line on the node that is pointed at, with its formula. */
function Readout({ viewer, mechanism, node }) {
  if (!node) return h('p', { class: 'av-node-line av-note' }, viewer.say('diagram_hint'));
  const numbers = node.example ? mechanism.numbers : undefined;
  return h(
    'p',
    { class: 'av-node-line' },
    h('span', {}, lineOf(viewer, node)),
    h(Formula, { tree: node.formula }),
    numbers && h(Formula, { tree: node.example, numbers }),
  );
}

/** The mechanism's formulas, and beside each the same with numbers. */
function FormulaLines({ viewer, mechanism }) {
  const { diagram, numbers } = mechanism;
  const nodes = diagram.lines.map((key) => diagram.nodes.find((node) => node.key === key));
  if (!nodes.length) return null;
  const lines = nodes.map((node) =>
    h(
      'div',
      { class: 'av-formula', 'data-line': node.key },
      h(Formula, { tree: node.formula }),
      node.example && h(Formula, { tree: node.example, numbers }),
    ),
  );
  return [
    h('div', { class: 'av-formulas', role: 'group', 'aria-label': viewer.say('formulas') }, lines),
    h(RoundingNote, { viewer, mechanism }),
  ];
}

/** Says that "≈" is about rounding, where one stands. */
export function RoundingNote({ viewer, mechanism: { diagram, numbers } }) {
  const isRounded = diagram.nodes.some(({ key }) => numbers(key).isRounded);
  return isRounded ? h('p', { class: 'av-note' }, viewer.say('rounded')) : null;
}

/** The paper that the mechanism comes from. */
function Source({ viewer, diagram: { paper } }) {
  if (!paper) return null;
  const [citation, address] = paper;
  const link = h('a', { href: address, target: '_blank', rel: 'noreferrer' }, citation);
  return h('p', { class: 'av-note av-source' }, viewer.say('source'), ' ', link);
}

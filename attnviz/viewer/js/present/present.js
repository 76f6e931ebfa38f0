// A mechanism for a hall: node after node of its diagram lights up, large, with its numbers; other mechanisms on the same
// photo.
import { titleOf } from '../changes/edits.js';
import { Notice, Waiting } from '../app/notice.js';
import { Button } from '../controls/controls.js';
import { Diagram } from '../mechanism/diagram.js';
import { typeAcross } from '../mechanism/layout.js';
import { useMechanism, Whose } from '../mechanism/following.js';
import { shortName } from '../networks/choice.js';
import { clamp } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';
import { useEffect, useLayoutEffect, useRef } from '../vendor/preact-hooks.js';
import { presentKey } from './keys.js';
import { enterFullScreen, leaveFullScreen, useWindow } from './screen.js';
import { Stage } from './stage.js';

const LEAST_TYPE = 26; // px, in a hall
const IN_A_HAND = [16, 0.05, 0.037]; // px, and of the window's width and height: on a phone
const LEAST_ACROSS = 14; // px, of the type of a diagram from left to right
const NARROWEST = 2.6; // times the type's size, of a picture in the diagram
const TYPE = [0.0203, 0.036]; // of the window's width and height

/** What ``viewer``'s layer does, if it is to be presented. */
export function Present({ viewer }) {
  return viewer.state.present ? h(PresentDialog, { viewer, layer: viewer.layer() }) : null;
}

function PresentDialog({ viewer, layer }) {
  const dialog = useRef(null);
  const [width, height] = useWindow();
  const size = typeIn(width, height);
  const close = () => {
    leaveFullScreen();
    viewer.set({ present: false, step: 1 });
  };
  useLayoutEffect(() => {
    const element = dialog.current;
    element.showModal();
    element.querySelector('.av-node.av-lit')?.focus();
    return () => element.close(); // which gives the focus back
  }, []);
  useEffect(() => enterFullScreen(close), []);
  useEffect(() => {
    const onKey = (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (presentKey(viewer, event.key, close)) event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  const onCancel = (event) => {
    event.preventDefault();
    close();
  };
  const show = { viewer, layer, close, room: width - 2 * size, size };
  return h(
    'dialog',
    {
      class: 'av-present',
      ref: dialog,
      'aria-label': viewer.say('present'),
      style: { fontSize: `${size}px` },
      onCancel,
    },
    layer ? h(LayerShow, { ...show, key: viewer.trace.id }) : h(EmptyShow, show),
    h(Waiting, { viewer }),
    h(Notice, { viewer }),
  );
}

/** The size of the type in a window. */
function typeIn(width, height) {
  const [least, across, down] = IN_A_HAND;
  const readable = clamp(Math.min(width * across, height * down), least, LEAST_TYPE);
  return Math.max(readable, Math.min(width * TYPE[0], height * TYPE[1]));
}

/** Of a network without attention there is nothing to show. */
function EmptyShow({ viewer, close }) {
  const title = titleOf(viewer.say, viewer.trace);
  return [
    h(Head, { viewer, title, close }),
    h('p', { class: 'av-present-none' }, viewer.say('no_attention')),
  ];
}

function LayerShow({ viewer, layer, room, size, close }) {
  const mechanism = useMechanism(viewer, layer);
  const diagram = useRef(null);
  const { nodes } = mechanism.diagram;
  const across = Math.min(size, typeAcross(mechanism.diagram, room, false, NARROWEST));
  const isDown = across < LEAST_ACROSS;
  const way = isDown ? ' av-down' : across < size ? ' av-close-set' : '';
  const place = clamp(viewer.state.step - 1, 0, nodes.length - 1);
  const onOpen = (key) => viewer.set({ step: 1 + nodes.findIndex((node) => node.key === key) });
  useLayoutEffect(() => {
    const { activeElement } = document;
    const isFree = activeElement === document.body || diagram.current.contains(activeElement);
    if (isFree) diagram.current.querySelector('.av-node.av-lit').focus();
  }, [place]);
  useLayoutEffect(() => {
    const { offsetTop, offsetHeight } = diagram.current.querySelector('.av-node.av-lit');
    diagram.current.scrollTop = offsetTop + (offsetHeight - diagram.current.clientHeight) / 2;
  }, [place, room]); // a diagram that runs downwards scrolls in its place
  const changed = viewer.trace.change && viewer.say('changed_network');
  const title = [layer.title, layer.name, changed].filter(Boolean).join(' · ');
  return [
    h(Head, { viewer, title, close }, h(Whose, { viewer, mechanism })),
    h(
      'div',
      { class: `av-present-diagram${way}`, ref: diagram },
      h(Diagram, {
        viewer,
        mechanism,
        room,
        size: isDown ? size : across,
        narrowest: NARROWEST,
        lit: nodes[place].key,
        isBrief: true,
        onOpen,
      }),
    ),
    h(Stage, { viewer, mechanism, node: nodes[place], size }),
    h(Steps, { viewer, place, count: nodes.length }),
  ];
}

/** Which mechanism, of which layer, and the way back. */
function Head({ viewer, title, close, children }) {
  const { say, networks, trace } = viewer;
  const embedded = networks.filter(({ group }) => group === 'embedded');
  const segments = embedded.map((network, place) =>
    h(
      'button',
      {
        type: 'button',
        class: 'av-segment',
        'data-network': network.name,
        'aria-pressed': String(network.name === trace.asked.network),
        onClick: () => viewer.open({ network: network.name }),
      },
      h('kbd', {}, `${place + 1} `),
      shortName(say, network),
    ),
  );
  return h(
    'header',
    { class: 'av-present-head' },
    segments.length > 1 &&
      h('div', { class: 'av-segments', role: 'group', 'aria-label': say('network') }, segments),
    h('span', { class: 'av-present-layer' }, title),
    children,
    h(
      Button,
      { 'data-present-close': '', 'aria-label': say('present_close'), onClick: close },
      '✕',
      h('span', {}, say('present_close')),
    ),
  );
}

/** The step before and the next, and where one is. */
function Steps({ viewer: { say, set }, place, count }) {
  const button = (name, label, text, step, isEnd) => {
    const properties = { 'aria-label': label, 'data-step': name, disabled: isEnd };
    return h(Button, { ...properties, onClick: () => set({ step: step + 1 }) }, text);
  };
  return h(
    'nav',
    { class: 'av-present-steps' },
    button('back', say('back'), '‹', place - 1, place === 0),
    h('span', {}, `${place + 1} / ${count}`),
    button('next', say('next'), '›', place + 1, place === count - 1),
  );
}

// Which network: those that come with attnviz as segments, all others behind a search; and how it sees the photo.
import { Button } from '../controls/controls.js';
import { Menu } from '../controls/menu.js';
import { h } from '../vendor/preact.js';
import { useState } from '../vendor/preact-hooks.js';
import { promiseOf } from '../photos/promise.js';
import { OwnNetworkForm } from './own.js';

/** The choice of ``viewer``. */
export function NetworkChoice({ viewer }) {
  const { say, networks, trace, host } = viewer;
  const shown = trace.asked.network;
  const embedded = networks.filter(({ group }) => group === 'embedded');
  const others = networks.filter(({ group }) => group !== 'embedded');
  const isAmong = embedded.some(({ name }) => name === shown);
  const own = others.find(({ name }) => name === shown) ?? {
    name: shown,
    title: trace.network.title,
  };
  const segments = isAmong ? embedded : [...embedded, own];
  return h(
    'div',
    { class: 'av-network-choice' },
    segments.length > 1 &&
      h(
        'div',
        { class: 'av-segments', role: 'group', 'aria-label': say('network') },
        segments.map((network) => h(Segment, { key: network.name, viewer, network })),
      ),
    hasMoreNetworks(viewer) && h(MoreNetworks, { viewer, others }),
    host.addPhoto && h(Settings, { viewer }),
  );
}

/** Whether there are others than those of the buttons, or can be. */
export const hasMoreNetworks = ({ networks, host }) =>
  Boolean(host.addNetwork) || networks.some(({ group }) => group !== 'embedded');

function Segment({ viewer, network }) {
  const { name, title } = network;
  const isShown = viewer.trace.asked.network === name;
  const properties = { type: 'button', class: 'av-segment', title, 'data-network': name };
  const onClick = () => viewer.open({ network: name });
  return h(
    'button',
    { ...properties, 'aria-pressed': String(isShown), onClick },
    shortName(viewer.say, network),
  );
}

/** What a network is called where there is little room: by its attention, if it comes with attnviz. */
export function shortName(say, { attention, title }) {
  if (attention === undefined || attention === null) return title;
  return attention ? attention.toUpperCase() : say('attention_none');
}

/** The others: those that are downloaded, the visitor's own, and a form to open more. */
function MoreNetworks({ viewer, others }) {
  const { say, host } = viewer;
  return h(
    Menu,
    { name: 'networks', label: say('more'), hint: say('more_networks'), side: 'end' },
    (close) => [
      h(NetworkSearch, { viewer, others, onChosen: close }),
      host.addNetwork && h(OwnNetworkForm, { viewer, onOpened: close }),
    ],
  );
}

function NetworkSearch({ viewer, others, onChosen }) {
  const { say } = viewer;
  const [sought, setSought] = useState('');
  const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
  const found = others.filter((network) => {
    const text = describe(say, network).toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const rows = found.map((network) => {
    const isShown = viewer.trace.asked.network === network.name;
    const onClick = () => {
      onChosen();
      viewer.open({ network: network.name });
    };
    const properties = { type: 'button', class: 'av-choice', 'aria-pressed': String(isShown) };
    return h(
      'li',
      {},
      h('button', { ...properties, 'data-network': network.name, onClick }, describe(say, network)),
    );
  });
  const onInput = ({ currentTarget }) => setSought(currentTarget.value);
  return h(
    'div',
    { class: 'av-search' },
    h(
      'label',
      { class: 'av-field' },
      h('span', {}, say('search_networks')),
      h('input', { type: 'search', value: sought, 'data-control': 'search-networks', onInput }),
    ),
    h('ul', {}, rows.length ? rows : h('li', { class: 'av-note' }, say('nothing_found'))),
  );
}

const WORDS_OF_GROUP = { damaged: 'network_damaged', yours: 'network_yours' };

/** A network, and where it comes from. */
function describe(say, { title, group, library, isReady, megabytes }) {
  if (group in WORDS_OF_GROUP) return say(WORDS_OF_GROUP[group], { title });
  const key = isReady ? 'network_here' : 'network_download';
  return say(key, { title, library, megabytes: Math.round(megabytes ?? 0) });
}

/** Whether there is something that the visitor brought. */
const hasBrought = ({ mine, networks }) =>
  mine.length > 0 || networks.some(({ group }) => group === 'yours');

/** How the network sees the photo, and what becomes of what was brought. */
function Settings({ viewer }) {
  const { say, host, trace } = viewer;
  const view = trace.asked.view;
  const promise = promiseOf(viewer);
  const radio = (name) => {
    const onChange = () => viewer.open({ view: name });
    const input = h('input', {
      type: 'radio',
      name: 'av-view',
      value: name,
      checked: view === name,
      onChange,
    });
    return h('label', { class: 'av-tick' }, input, say(`view_${name}`));
  };
  return h(Menu, { name: 'settings', label: '⚙', hint: say('settings'), side: 'end' }, (close) => [
    h(
      'fieldset',
      { class: 'av-fieldset' },
      h('legend', {}, say('sees')),
      radio('whole'),
      radio('crop'),
    ),
    promise && h('p', { class: 'av-note' }, promise),
    host.forget &&
      hasBrought(viewer) &&
      h(
        Button,
        {
          'data-forget': '',
          onClick: () => {
            close();
            viewer.forget();
          },
        },
        say('delete'),
      ),
  ]);
}

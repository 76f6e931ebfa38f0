// Below the bars: what the chosen channel is set to, and all that are set.
import { Button } from '../controls/controls.js';
import { weightsOf } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { h } from '../vendor/preact.js';
import { stateOf } from './edits.js';
import {
  canSetChannels,
  propose,
  put,
  replace,
  settableRange,
  settingOf,
  settle,
  shownSetting,
} from './setting.js';
import { ValueSlider } from './value_slider.js';

const MOST_NAMED = 20; // channels

/** The panel of ``viewer``'s layer; nothing where its channels can't be set. */
export function ChannelPanel({ viewer, layer }) {
  if (!canSetChannels(viewer, layer)) return null;
  const { say, state } = viewer;
  const { channel: set } = shownSetting(viewer, layer);
  const label = say('edit_channels', { layer: layer.name });
  return h(
    'div',
    { class: 'av-setting', 'data-setting': 'channels', role: 'group', 'aria-label': label },
    state.channel !== null && h(ChosenChannel, { viewer, layer, channel: state.channel, set }),
    h(AllSet, { viewer, layer, set }),
    h('p', { class: 'av-note' }, say('edit_channels_hint')),
  );
}

function ChosenChannel({ viewer, layer, channel, set }) {
  const { say } = viewer;
  const own = weightsOf(layer)[channel];
  const range = settableRange(layer);
  const value = set.get(channel) ?? null;
  const putValue = (wanted) => put(viewer, layer.name, { channel: new Map([[channel, wanted]]) });
  const setting = (name, wanted) => ({
    'data-set': name,
    'aria-pressed': String(value === wanted),
    onClick: () => putValue(wanted),
  });
  const text = value === null ? unsetText(viewer, layer) : 'edit_channel_set';
  return [
    h('p', { role: 'status' }, say(text, { channel, value: digits(value ?? own) })),
    h(
      'div',
      { class: 'av-setting-row' },
      h(Button, setting('own', null), say('gates_own')),
      h(ValueSlider, {
        range,
        label: say('edit_value'),
        value: value ?? own,
        ends: (end) => setting(String(end), end),
        onPropose: (wanted) => propose(viewer, layer, { channel: new Map([[channel, wanted]]) }),
        onSettle: () => settle(viewer),
      }),
    ),
  ];
}

/** The key of what is said of a channel that is not set: from what it is computed. */
function unsetText({ trace }, layer) {
  const edits = trace.change?.edits[layer.name] ?? [];
  if (edits.some(({ edit }) => edit !== 'set')) return 'edit_channel_of_changed';
  const isAsItIs = [null, 'still'].includes(stateOf(trace, layer));
  return isAsItIs ? 'edit_channel_own' : 'edit_channel_moved';
}

/** The channels that are set, the first of them each with a button that takes that back, and one for all. */
function AllSet({ viewer, layer, set }) {
  const { say } = viewer;
  if (!set.size) return null;
  const back = (channel) => put(viewer, layer.name, { channel: new Map([[channel, null]]) });
  const chips = [...set].slice(0, MOST_NAMED).map(([channel, value]) =>
    h(
      Button,
      {
        key: channel,
        class: 'av-chip',
        'data-take-back': channel,
        'aria-label': say('edit_take_back', { channel, value: digits(value, 0, 2) }),
        title: say('edit_take_back', { channel, value: digits(value, 0, 2) }),
        onClick: () => back(channel),
      },
      `${channel} = ${digits(value, 0, 2)} ✕`,
    ),
  );
  const all = h(
    Button,
    { class: 'av-chip', 'data-take-back-all': '', onClick: () => takeBackAll(viewer, layer) },
    say('edit_take_back_all', { count: set.size }),
  );
  const label = h('span', {}, say('edit_set'));
  return h('div', { class: 'av-chips', 'data-row': 'set' }, label, chips, set.size > 1 && all);
}

function takeBackAll(viewer, layer) {
  const { cells } = settingOf(viewer.edits(), layer.name);
  replace(viewer, layer.name, { channel: new Map(), cells });
}

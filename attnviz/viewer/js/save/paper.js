// A figure for a paper: which panels, which layers, how wide, in which format; and a caption to copy.
import { Button, Checks, Choice, toggled } from '../controls/controls.js';
import { h } from '../vendor/preact.js';
import { useState } from '../vendor/preact-hooks.js';
import { captionOf } from './caption.js';

const PANELS = ['photo', 'map', 'channels', 'channel', 'steps']; // as in drawing/paper.py
const FIRST_PANELS = ['photo', 'map', 'channels'];
const WIDTHS = ['85', '170']; // mm
const FORMATS = ['pdf', 'svg', 'png'];
const MOST_LAYERS = 16;

/** The dialog; ``dialog`` is a ref by which it is opened. */
export function PaperDialog({ viewer, dialog }) {
  const { say, trace, state } = viewer;
  const [panels, setPanels] = useState(FIRST_PANELS);
  const [chosen, setChosen] = useState(null); // layers, by name; null: the one on the screen
  const [width, setWidth] = useState('170');
  const [format, setFormat] = useState('pdf');
  const names = trace.layers.map(({ name }) => name);
  const wanted = (chosen ?? [state.layer]).filter((name) => names.includes(name));
  const layers = trace.layers.filter(({ name }) => wanted.includes(name));
  const caption = captionOf(viewer, panels, layers);
  const pick = (list, put, most) => (name, isOn) => put(toggled(list, name, isOn, most));
  const save = () => {
    dialog.current.close();
    const more = { panels, layers: wanted, width: Number(width), format };
    viewer.save('paper', more);
  };
  const close = () => dialog.current.close();
  return h(
    'dialog',
    { class: 'av-dialog av-paper', ref: dialog, 'aria-labelledby': 'av-paper-title' },
    h('h2', { id: 'av-paper-title' }, say('save_paper')),
    h('h3', {}, say('paper_panels')),
    h(Checks, {
      label: say('paper_panels'),
      options: PANELS.map((name) => [
        name,
        say(`panel_${name}`, { channel: state.channel ?? '–' }),
      ]),
      chosen: panels,
      most: PANELS.length,
      onChoose: pick(panels, setPanels, PANELS.length),
    }),
    h('h3', {}, say('paper_layers')),
    h(
      'div',
      { class: 'av-paper-layers' },
      h(Checks, {
        label: say('paper_layers'),
        options: names.map((name) => [name, name]),
        chosen: wanted,
        most: MOST_LAYERS,
        onChoose: pick(wanted, setChosen, MOST_LAYERS),
      }),
    ),
    h(
      'div',
      { class: 'av-controls' },
      h(Choice, {
        label: say('paper_width'),
        options: WIDTHS.map((value) => [value, say(`paper_width_${value}`)]),
        value: width,
        onChoose: setWidth,
        'data-control': 'paper-width',
      }),
      h(Choice, {
        label: say('paper_format'),
        options: FORMATS.map((name) => [name, say(`paper_format_${name}`)]),
        value: format,
        onChoose: setFormat,
        'data-control': 'paper-format',
      }),
    ),
    h('h3', {}, say('paper_caption')),
    h('p', { class: 'av-caption', 'data-caption': '' }, caption),
    h(
      'div',
      { class: 'av-row' },
      h(
        Button,
        {
          class: 'av-button av-primary',
          'data-paper-save': '',
          disabled: !wanted.length || !panels.length,
          onClick: save,
        },
        say('paper_save'),
      ),
      h(
        Button,
        { 'data-paper-copy': '', onClick: () => copyText(viewer, caption) },
        say('paper_copy'),
      ),
      h(Button, { onClick: close }, say('close')),
    ),
  );
}

async function copyText(viewer, text) {
  try {
    await navigator.clipboard.writeText(text);
    viewer.tell({ key: 'caption_copied' });
  } catch {
    viewer.tell({ key: 'text_not_copied' });
  }
}

// Stairs: what the network says with every layer changed in turn, alone, and together with all layers before it.
import { useAsked } from '../controls/asked.js';
import { Button, Choice } from '../controls/controls.js';
import { catchFocus } from '../controls/focus.js';
import { table } from '../files/csv.js';
import { saveBlob, savePicture } from '../save/download.js';
import { wholeName } from '../save/names.js';
import { aboutPicture, pictureOf } from '../save/picture.js';
import { h } from '../vendor/preact.js';
import { useRef } from '../vendor/preact-hooks.js';
import { climbed, stairsKey } from './climbing.js';
import { isChanging } from './edits.js';
import { takes } from './setting.js';
import { StairsFigure } from './stairs_figure.js';

/** What can be made of each layer's gates in turn. */
const howsOf = (viewer) => ['usual', 'off'].filter((how) => takes(viewer, how));

/** Whether stairs can be climbed here. */
const hasStairs = (viewer) => isChanging(viewer) && Boolean(viewer.host.stairs);

/** The button that opens the stairs, or closes them. */
export function StairsButton({ viewer }) {
  const { say, state } = viewer;
  if (!hasStairs(viewer)) return null;
  const onClick = () => {
    viewer.set({ stairs: state.stairs ? null : howsOf(viewer)[0] });
    viewer.element.querySelector('.av-stairs')?.scrollIntoView({ block: 'nearest' });
  };
  return h(
    Button,
    {
      'data-stairs': '',
      'aria-expanded': String(Boolean(state.stairs)),
      title: say('edit_stairs_hint'),
      onClick,
    },
    say('edit_stairs'),
  );
}

/** The stairs of ``viewer``'s photo, if they are open. */
export function Stairs({ viewer }) {
  const { stairs: how } = viewer.state;
  if (!how || !hasStairs(viewer)) return null;
  return h(Panel, { key: stairsKey(viewer, how), viewer, how });
}

function Panel({ viewer, how }) {
  const { say, set } = viewer;
  const panel = useRef(null);
  const choose = (chosen) => {
    set({ stairs: chosen });
    catchFocus(viewer, '[data-control=how]');
  };
  const close = () => {
    set({ stairs: null });
    catchFocus(viewer, '[data-stairs]');
  };
  const { answer: stairs, wait } = useAsked(viewer, (options) => climbed(viewer, how, options));
  return h(
    'section',
    {
      class: 'av-card av-stairs',
      'data-part': 'stairs',
      'aria-labelledby': 'av-stairs-title',
      ref: panel,
    },
    h(
      'div',
      { class: 'av-card-head' },
      h('h2', { id: 'av-stairs-title' }, titleText(viewer, how, stairs)),
      h(
        'div',
        { class: 'av-controls' },
        h(Choice, {
          label: say('edit_stairs_how'),
          options: howsOf(viewer).map((each) => [each, say(`gates_${each}`)]),
          value: how,
          onChoose: choose,
          'data-control': 'how',
        }),
        stairs && h(SaveButtons, { viewer, how, stairs, panel }),
        h(Button, { 'data-stairs-close': '', onClick: close }, say('close')),
      ),
    ),
    h(
      'p',
      { class: 'av-note' },
      say('edit_stairs_note'),
      ' ',
      h('span', {}, say('edit_stairs_click')),
    ),
    how === 'off' && h('p', { class: 'av-note av-remark' }, say('edit_stairs_off')),
    stairs ? [h(StairsFigure, { viewer, how, stairs }), h(LeftOut, { viewer, stairs })] : wait,
  );
}

function titleText({ say, classText }, how, stairs) {
  const answer = stairs?.before.answer;
  const words = { how: say(`gates_${how}`), answer: answer && classText(answer) };
  return say(answer ? 'edit_stairs_title' : 'edit_stairs_title_none', words);
}

/** The layers that can't be changed, and why. */
function LeftOut({ viewer, stairs: { leftOut } }) {
  return leftOut.map(({ layer, why }) =>
    h('p', { class: 'av-note', key: layer }, `${layer}: ${viewer.messageText(why)}`),
  );
}

function SaveButtons({ viewer, how, stairs, panel }) {
  const { say } = viewer;
  const name = wholeName(viewer, `stairs ${how}`);
  const saveTable = () =>
    saveBlob(viewer, new Blob([tableOf(viewer, stairs)], { type: 'text/csv' }), `${name}.csv`);
  const { trace } = viewer;
  const of = [[trace.photo.name, trace.network.title, 'attnviz'].join(' · ')]; // as it is
  const draw = () => pictureOf(panel.current, { ...aboutPicture(viewer), of });
  const saveDrawn = () => savePicture(viewer, draw, name);
  return [
    h(Button, { 'data-stairs-png': '', onClick: saveDrawn }, say('take_png')),
    h(Button, { 'data-stairs-csv': '', onClick: saveTable }, say('take_csv')),
  ];
}

/** The numbers as a CSV file: a row a layer and way. */
function tableOf({ trace }, { how, before, steps }) {
  const header = ['network', 'photo', 'layers', 'last layer', 'edit', 'answer before', 'answer'];
  const numbers = ['changed', 'score change', 'probability before', 'probability'];
  const rows = steps.flatMap(({ layer, ...said }) =>
    ['alone', 'together'].map((way) => {
      const { answer, isOther, scoreChange, share } = said[way];
      const words = [`changed network: ${trace.asked.network}`, trace.photo.name, way, layer, how];
      const values = [String(isOther), scoreChange ?? NaN, before.share ?? NaN, share ?? NaN];
      return [...words, before.answer ?? '', answer ?? '', ...values];
    }),
  );
  return table([...header, ...numbers], rows);
}

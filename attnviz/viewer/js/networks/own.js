// A form to open weights of one's own.
import { Button, Checkbox, toggled } from '../controls/controls.js';
import { h } from '../vendor/preact.js';
import { useRef, useState } from '../vendor/preact-hooks.js';
import { withStrong } from '../app/words.js';

/** The form of ``viewer``; ``onOpened`` is called when the network is shown. What was said stays while one tries. */
export function OwnNetworkForm({ viewer, onOpened }) {
  const { say, opening } = viewer;
  const weights = useRef(null);
  const labels = useRef(null);
  const [told, setTold] = useState([]);
  const open = async () => {
    const [file] = weights.current.files;
    if (!file) return;
    const own = { weights: file, labels: labels.current.files[0] ?? null, told };
    if (await viewer.addNetwork(own)) onOpened();
  };
  const megabytes = opening.megabytes?.toLocaleString('en');
  return h(
    'section',
    { class: 'av-own' },
    h('h3', {}, say('your_checkpoint')),
    h(FileField, {
      label: say('weights_file', { megabytes }),
      input: weights,
      name: 'weights',
    }),
    h(FileField, {
      label: say('labels_file'),
      input: labels,
      name: 'labels',
      accept: '.txt,text/plain',
    }),
    opening.told?.length > 0 &&
      h(ToldField, {
        viewer,
        told,
        onTell: (choice, isOn) => setTold(toggled(told, choice, isOn, opening.told.length)),
      }),
    h(
      Button,
      { class: 'av-button av-primary', 'data-open-own': '', onClick: open },
      say('open_own'),
    ),
    h(
      'details',
      { class: 'av-details' },
      h('summary', {}, say('which_files')),
      h('p', { class: 'av-note av-lines' }, withStrong(say('checkpoint_help'))),
    ),
  );
}

function FileField({ label, input, name, ...properties }) {
  const field = h('input', { type: 'file', ref: input, 'data-own': name, ...properties });
  return h('label', { class: 'av-field' }, h('span', {}, label), field);
}

/** What can be said of weights that do not tell it themselves. */
function ToldField({ viewer, told, onTell }) {
  const { say, opening } = viewer;
  const boxes = opening.told.map((choice) =>
    h(Checkbox, {
      key: choice,
      label: say(`told_${choice.replace(/[ .]/g, '_')}`),
      value: told.includes(choice),
      name: choice,
      onChoose: (isOn) => onTell(choice, isOn),
    }),
  );
  return h(
    'details',
    { class: 'av-details', 'data-told': '' },
    h('summary', {}, say('told')),
    h('p', { class: 'av-note' }, say('told_info')),
    h('div', { class: 'av-told' }, boxes),
  );
}

// The menu of all that can be saved at once.
import { Button } from '../controls/controls.js';
import { Menu } from '../controls/menu.js';
import { h } from '../vendor/preact.js';
import { canSave } from './offers.js';

/** Whether there is anything to make a figure for a paper of. */
export const hasPaper = ({ state, trace, host }) =>
  canSave(host, 'paper') && state.tab === 'explore' && trace.layers.length > 0;

/** The menu in the bar; ``onPaper`` opens the dialog of a figure for a paper. */
export function SaveMenu({ viewer, onPaper }) {
  const { say } = viewer;
  const item = (what, close, act = () => viewer.save(what)) => {
    const onClick = () => {
      close();
      act();
    };
    return h(Button, { 'data-save': what, onClick }, say(`save_${what}`));
  };
  return h(Menu, { name: 'save', label: say('save'), side: 'end' }, (close) => [
    item('screen', close),
    item('all', close),
    h('p', { class: 'av-note' }, say('save_note')),
    hasPaper(viewer) && item('paper', close, onPaper),
    canSave(viewer.host, 'page') && [
      item('page', close),
      h('p', { class: 'av-note' }, say('save_page_note')),
    ],
  ]);
}

// A button on a figure: take it away as a picture, as vectors, as numbers.
import { Button } from '../controls/controls.js';
import { Menu } from '../controls/menu.js';
import { h } from '../vendor/preact.js';
import { copyPicture, savePicture } from './download.js';
import { nameOf } from './names.js';
import { canSave } from './offers.js';
import { aboutPicture, pictureOf } from './picture.js';

const WITHOUT_VECTORS = ['answer']; // figures that are words and numbers

/** The button of a ``figure`` (see host.js), inside of the element that shows it, a card or what has ``data-figure``. What
 * is on the screen becomes a picture here, or at the host where ``isVector``; all else is asked of the host. */
export function TakeMenu({ viewer, figure, isVector = false }) {
  const { say, host } = viewer;
  const saves = (format) =>
    canSave(host, 'figure', format) && !(format !== 'csv' && WITHOUT_VECTORS.includes(figure));
  if (isVector && !['png', 'csv'].some(saves)) return null;
  const asked = (format) => () => viewer.save('figure', { figure, format });
  const items = (close) => {
    const item = (name, act) => {
      const onClick = ({ currentTarget }) => {
        const shown = currentTarget.closest('[data-figure], .av-card, .av-panel');
        close();
        act(shown);
      };
      return h(Button, { 'data-take': name, onClick }, say(`take_${name}`));
    };
    const png = isVector ? saves('png') && asked('png') : (shown) => take(viewer, figure, shown);
    return [
      png && item('png', png),
      !isVector && navigator.clipboard && item('copy', (shown) => copy(viewer, shown)),
      saves('svg') && item('svg', asked('svg')),
      saves('pdf') && item('pdf', asked('pdf')),
      saves('csv') && item('csv', asked('csv')),
    ];
  };
  const hint = say('take', { figure: say(`figure_${figure}`) });
  return h(
    'div',
    { class: 'av-take-figure' },
    h(Menu, { name: `take-${figure}`, label: '⤓', hint, side: 'end' }, items),
  );
}

const take = (viewer, figure, shown) =>
  savePicture(viewer, () => pictureOf(shown, aboutPicture(viewer)), nameOf(viewer, figure));

const copy = (viewer, shown) => copyPicture(viewer, () => pictureOf(shown, aboutPicture(viewer)));

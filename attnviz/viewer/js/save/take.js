// A button on a figure: take it away as a picture, as vectors, as numbers.
import { Button } from '../controls/controls.js';
import { Menu } from '../controls/menu.js';
import { h } from '../vendor/preact.js';
import { copyPicture, downloadPicture } from './download.js';
import { nameOf } from './names.js';
import { pictureOf } from './picture.js';

const HINTS = ['readout_hint', 'bars_hint', 'spread_pointed_none', 'scatter_hint', 'networks_how'];
const WITHOUT_VECTORS = ['answer']; // figures that are words and numbers

/** The button of a ``figure`` (see host.js), inside of the element that shows it, a card or what has ``data-figure``. What
 * is on the screen becomes a picture here, or at the host where ``isVector``; all else is asked of the host. */
export function TakeMenu({ viewer, figure, isVector = false }) {
  const { say, host } = viewer;
  if (isVector && !host.save) return null;
  const vectors = host.save && !WITHOUT_VECTORS.includes(figure);
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
    const png = isVector ? host.save && asked('png') : (shown) => take(viewer, figure, shown);
    return [
      png && item('png', png),
      !isVector && navigator.clipboard && item('copy', (shown) => copy(viewer, shown)),
      vectors && item('svg', asked('svg')),
      vectors && item('pdf', asked('pdf')),
      host.save && item('csv', asked('csv')),
    ];
  };
  const hint = say('take', { figure: say(`figure_${figure}`) });
  return h(
    'div',
    { class: 'av-take-figure' },
    h(Menu, { name: `take-${figure}`, label: '⤓', hint, side: 'end' }, items),
  );
}

async function take(viewer, figure, shown) {
  const name = nameOf(viewer, figure);
  await downloadPicture(pictureOf(shown, about(viewer)), name);
  viewer.tell({ key: 'saved_as', values: { name: `${name}.png` } });
}

async function copy(viewer, shown) {
  try {
    await copyPicture(pictureOf(shown, about(viewer)));
    viewer.tell({ key: 'picture_copied' });
  } catch {
    viewer.tell({ key: 'picture_not_copied' });
  }
}

/** What pictureOf is told: the colour of the page, what is looked at, and what is only a hint. */
function about({ element, say, state, trace }) {
  const looked = {
    explore: [trace.photo.name, trace.network.title, state.layer],
    networks: [trace.photo.name],
    photos: [trace.network.title, state.layer],
  }[state.tab];
  return {
    ground: getComputedStyle(element).backgroundColor,
    of: [...looked.filter(Boolean), 'attnviz'].join(' · '),
    hints: HINTS.map((key) => say(key)),
  };
}

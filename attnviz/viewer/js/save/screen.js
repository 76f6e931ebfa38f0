// The figures on the screen as pictures, for a host that draws none itself.
import { pngOf } from './download.js';
import { aboutPicture, pictureOf } from './picture.js';

const VECTORS = ['steps', 'pair']; // figures that are drawn in vectors here

/** [[name, Blob]] of the figures that ``viewer`` shows; with ``isAll`` the strip of all layers too. */
export async function screenPictures(viewer, isAll) {
  const shown = Array.from(viewer.element.querySelectorAll('.av-take-figure'), (button) => ({
    figure: button.querySelector('[data-menu]').dataset.menu.replace('take-', ''),
    element: button.closest('[data-figure], .av-card, .av-panel'),
  })).filter(({ figure }) => !VECTORS.includes(figure));
  const strip = viewer.element.querySelector('.av-strip');
  if (isAll && strip) shown.push({ figure: 'overview', element: strip });
  const about = aboutPicture(viewer);
  return Promise.all(
    shown.map(async ({ figure, element }) => [
      `${pictureName(viewer, figure)}.png`,
      await pngOf(pictureOf(element, about)),
    ]),
  );
}

/** What a figure's picture is called, as those in a server's zip are. */
function pictureName({ state }, figure) {
  if (figure === 'channel') return `${state.layer}.channel-${state.channel}`;
  return ['map', 'channels'].includes(figure) ? `${state.layer}.${figure}` : figure;
}

// All channels of a layer: their features before the gate as thumbnails, and what the gate multiplies each by. They come with
// one request a layer, which is given up when one leaves.
import { requestOf } from '../changes/edits.js';
import { GALLERY_ORDERS } from '../app/state.js';
import { useAsked } from '../controls/asked.js';
import { Button, Choice } from '../controls/controls.js';
import { ranked, weightsOf } from '../numbers/analysis.js';
import { h } from '../vendor/preact.js';
import { Tiles } from './tiles.js';

const kept = new WeakMap(); // by trace: a Map from a layer's name to its gallery

/** Whether there can be a gallery of a layer. */
const hasGallery = ({ host }, layer) =>
  Boolean(host.gallery && layer?.channel && layer.formula !== 'none');

/** The button that opens the gallery of a layer, or closes it. */
export function GalleryButton({ viewer, layer, weights }) {
  const { say, state, set } = viewer;
  if (!hasGallery(viewer, layer)) return null;
  const properties = { 'data-control': 'gallery', 'aria-expanded': String(state.gallery) };
  const onClick = () => {
    set({ gallery: !state.gallery });
    viewer.element.querySelector('.av-gallery')?.scrollIntoView({ block: 'nearest' });
  };
  return h(
    'div',
    {},
    h(Button, { ...properties, onClick }, say('gallery_open', { count: weights.length })),
  );
}

/** The gallery of ``viewer``'s layer, if it is open. */
export function Gallery({ viewer }) {
  const layer = viewer.layer();
  if (!viewer.state.gallery || !hasGallery(viewer, layer)) return null;
  return h(Panel, { key: `${viewer.trace.id} ${layer.name}`, viewer, layer });
}

function Panel({ viewer, layer }) {
  const { say, state, set, trace } = viewer;
  const weights = weightsOf(layer);
  const known = kept.get(trace)?.get(layer.name);
  const { answer: gallery, wait } = useAsked(
    viewer,
    (options) => ask(viewer, layer, options),
    known,
  );
  return h(
    'section',
    { class: 'av-card av-gallery', 'aria-labelledby': 'av-gallery-title' },
    h(
      'div',
      { class: 'av-card-head' },
      h(
        'h2',
        { id: 'av-gallery-title' },
        say('gallery_title', { count: weights.length, layer: layer.name }),
      ),
      h(Button, { 'data-gallery-close': '', onClick: () => set({ gallery: false }) }, say('close')),
    ),
    h(
      'div',
      { class: 'av-controls' },
      h(Choice, {
        label: say('gallery_order'),
        options: GALLERY_ORDERS.map((name) => [name, say(`gallery_${name}`)]),
        value: state.tiles,
        onChoose: (tiles) => set({ tiles }),
        'data-control': 'tiles',
      }),
    ),
    h('p', { class: 'av-note' }, say('gallery_note')),
    gallery
      ? h(Tiles, { viewer, layer, gallery, order: orderOf(state.tiles, weights, gallery) })
      : wait,
  );
}

async function ask({ host, trace }, layer, options) {
  const asked = { ...requestOf(trace.asked), layer: layer.name };
  const gallery = await host.gallery(asked, options);
  options.signal.throwIfAborted(); // a host need not look at the signal
  if (!kept.has(trace)) kept.set(trace, new Map());
  kept.get(trace).set(layer.name, gallery);
  return gallery;
}

/** The channels in one of GALLERY_ORDERS. */
function orderOf(name, weights, { sizes }) {
  if (name !== 'change') return ranked(weights, name);
  const changes = weights.map((weight, channel) => sizes[channel] * Math.abs(1 - weight));
  return ranked(changes, 'size');
}

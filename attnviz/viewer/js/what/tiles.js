// The thumbnails of a gallery: a list in which one channel is chosen, as in the bars.
import { stepOf } from '../controls/controls.js';
import { cellsPicture } from '../drawing/heatmap.js';
import { weightsOf } from '../numbers/analysis.js';
import { digits } from '../numbers/format.js';
import { clamp } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from '../vendor/preact-hooks.js';

const AT_ONCE = 256; // tiles that are made in one frame

/** The channels of a layer in an ``order``, with the pictures of its ``gallery`` (see host.js). */
export function Tiles({ viewer, layer, gallery, order }) {
  const { state, set, pointing, say } = viewer;
  const list = useRef(null);
  const count = useGrowing(order.length);
  usePointedTile(viewer, list);
  const { channel, colours } = state;
  const isSigned = useMemo(() => gallery.shares.some((share) => share < 0), [gallery]);
  // Hundreds of tiles are made anew only if something about them is another
  const tiles = useMemo(
    () =>
      order.slice(0, count).map((each) =>
        h(Tile, {
          key: each,
          viewer,
          channel: each,
          weight: weightsOf(layer)[each],
          map: mapOf(gallery, each),
          look: isSigned ? { range: [-1, 1], colours: 'coolwarm' } : { range: [0, 1], colours },
          isChosen: each === channel,
        }),
      ),
    [gallery, order.join(), count, channel, colours, viewer.language],
  );
  const channelOf = ({ target }) => {
    const tile = target.closest('[data-channel]');
    return tile && Number(tile.dataset.channel);
  };
  const onKeyDown = (event) => {
    const step = stepOf(event);
    if (step === null) return;
    event.preventDefault();
    const there = order[clamp(order.indexOf(channelOf(event)) + step, 0, count - 1)];
    set({ channel: there });
    tileOf(list.current, there)?.focus();
  };
  return h(
    'div',
    {
      class: 'av-tiles',
      role: 'listbox',
      'aria-label': say('gallery_title', { count: order.length, layer: layer.name }),
      ref: list,
      onPointerOver: (event) => pointing.point({ channel: channelOf(event) }),
      onPointerLeave: () => pointing.point({ channel: null }),
      onClick: (event) => channelOf(event) !== null && set({ channel: channelOf(event) }),
      onKeyDown,
    },
    tiles,
  );
}

/** How many of so many tiles there are by now. */
function useGrowing(most) {
  const [count, setCount] = useState(AT_ONCE);
  useEffect(() => {
    if (count >= most) return null;
    const frame = requestAnimationFrame(() => setCount(count + AT_ONCE));
    return () => cancelAnimationFrame(frame);
  }, [count, most]);
  return Math.min(count, most);
}

/** Mark the tile that is pointed at, and bring it into sight within the list if something else than the list pointed. */
function usePointedTile({ pointing }, list) {
  useEffect(() => {
    const mark = () => {
      for (const tile of list.current.querySelectorAll('[data-pointed]'))
        delete tile.dataset.pointed;
      const tile = tileOf(list.current, pointing.channel);
      if (!tile) return;
      tile.dataset.pointed = '';
      if (!list.current.matches(':hover')) scrollTo(list.current, tile);
    };
    return pointing.subscribe(mark);
  }, [pointing]);
}

const tileOf = (list, channel) => list.querySelector(`[data-channel="${channel}"]`);

function scrollTo(list, tile) {
  const above = tile.offsetTop - list.scrollTop;
  const below = above + tile.offsetHeight - list.clientHeight;
  if (above < 0) list.scrollTop += above;
  else if (below > 0) list.scrollTop += below;
}

function Tile({ viewer: { say }, channel, weight, map, look, isChosen }) {
  const canvas = useRef(null);
  useLayoutEffect(() => {
    const { range, colours } = look;
    canvas.current.getContext('2d').drawImage(cellsPicture(map, range, colours), 0, 0);
  }, [map, look.colours]);
  const { height, width } = map;
  return h(
    'div',
    {
      class: 'av-tile',
      role: 'option',
      tabIndex: isChosen ? 0 : -1,
      'data-channel': channel,
      'aria-selected': String(isChosen),
      'aria-label': say('gallery_tile', { channel, value: digits(weight) }),
    },
    h('canvas', { ref: canvas, width, height }),
    h(
      'span',
      { class: 'av-tile-words' },
      h('span', {}, channel),
      h('span', {}, `×\u2009${digits(weight, 0, 2)}`),
    ),
  );
}

/** One channel's thumbnail as a map. */
function mapOf({ shares, height, width }, channel) {
  const cells = height * width;
  return { values: shares.subarray(channel * cells, (channel + 1) * cells), height, width };
}

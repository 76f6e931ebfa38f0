// Bars that are set: by dragging them, by keys, and how they are marked.
import { ink } from '../drawing/canvas.js';
import { Surface } from '../drawing/surface.js';
import { ranked, weightsOf, weightsRange } from '../numbers/analysis.js';
import { clamp, scale } from '../numbers/scale.js';
import { h } from '../vendor/preact.js';
import { channelUnder, PLOT } from '../what/chart.js';
import {
  canSetChannels,
  propose,
  put,
  rounded,
  settableRange,
  settle,
  shownSetting,
} from './setting.js';

const FAR = 4; // px, up or down, from which on a press drags
const MARK = 5; // px, from the middle of a mark to its corners
const presses = new WeakMap(); // by viewer: {channel, y, isDragging}, of the pointer that is down or was last

/** What the element around a layer's bars listens to: a press that is moved up or down sets the bar, keys set the one
 * that is pointed at. A finger scrolls the page instead. */
export function settingBars(viewer, layer) {
  if (!canSetChannels(viewer, layer)) return {};
  const order = ranked(weightsOf(layer), viewer.state.order);
  const range = settableRange(layer);
  const press = () => presses.get(viewer);
  const end = () => presses.set(viewer, { ...press(), isDown: false });
  return {
    onPointerDown(event) {
      const isDragged = event.pointerType !== 'touch' && event.button === 0;
      const channel = isDragged ? channelUnder(event, order) : null;
      presses.set(viewer, {
        channel,
        y: event.clientY,
        isDragging: false,
        isDown: channel !== null,
      });
    },
    onPointerMove(event) {
      const { channel, y, isDragging, isDown } = press() ?? {};
      if (!isDown || (!isDragging && Math.abs(event.clientY - y) < FAR)) return;
      if (!isDragging) {
        presses.set(viewer, { ...press(), isDragging: true });
        event.currentTarget.setPointerCapture(event.pointerId);
        viewer.set({ channel });
      }
      const value = rounded(valueUnder(event, layer, viewer.state.scale), range);
      propose(viewer, layer, { channel: new Map([[channel, value]]) });
    },
    onPointerUp() {
      if (press()?.isDragging) settle(viewer);
      end();
    },
    onPointerCancel() {
      viewer.draft = null;
      end();
      viewer.draw();
    },
    onClickCapture(event) {
      if (press()?.isDragging) event.stopPropagation(); // it does not choose what it ended on
    },
    onKeyDown: (event) => onKey(event, viewer, layer, range),
  };
}

/** The value at the height of a pointer. */
function valueUnder({ clientY, currentTarget }, layer, scaleName) {
  const { top } = currentTarget.getBoundingClientRect();
  return scale([PLOT.bottom, PLOT.top], weightsRange([layer], scaleName))(clientY - top);
}

function onKey(event, viewer, layer, range) {
  const channel = viewer.pointing.channel ?? viewer.state.channel;
  const value = valueOfKey(event, range);
  if (channel === null || value === undefined) return;
  event.preventDefault();
  viewer.state.channel = channel; // what is pointed at is forgotten with the next answer
  put(viewer, layer.name, { channel: new Map([[channel, value]]) });
}

/** What a key sets a gate to: the ends of its range by their digits, null for as it is; undefined for any other key. */
export function valueOfKey({ key, altKey, ctrlKey, metaKey }, range) {
  const isPlain = !(altKey || ctrlKey || metaKey);
  if (isPlain && (key === 'Delete' || key === 'Backspace')) return null;
  return range.find((end) => isPlain && key === String(end));
}

/** The marks of the bars that are set, over a chart ``width`` pixels wide: a dashed outline and a rhomb at the value. */
export function BarMarks({ viewer, layer, width }) {
  if (!layer.channel) return null;
  const { channel: set } = shownSetting(viewer, layer);
  if (!set.size) return null;
  const draw = (context) => drawMarks(context, viewer, layer, set, width);
  return h(Surface, { width, height: PLOT.height, draw, class: 'av-over', 'aria-hidden': 'true' });
}

function drawMarks(context, viewer, layer, set, width) {
  const order = ranked(weightsOf(layer), viewer.state.order);
  const y = scale(weightsRange([layer], viewer.state.scale), [PLOT.bottom, PLOT.top]);
  const barWidth = (width - PLOT.left) / order.length;
  context.strokeStyle = ink(viewer.theme.name(), 'text');
  context.lineWidth = 1.5;
  for (const [channel, value] of set) {
    const middle = PLOT.left + (order.indexOf(channel) + 0.5) * barWidth;
    const top = clamp(y(value), PLOT.top, PLOT.bottom);
    const across = Math.max(4, barWidth);
    context.setLineDash([3, 2]);
    context.strokeRect(middle - across / 2, top, across, PLOT.bottom - top);
    context.setLineDash([]);
    drawRhomb(context, clamp(middle, MARK, width - MARK), top);
  }
}

function drawRhomb(context, x, y) {
  context.fillStyle = '#fff';
  context.beginPath();
  context.moveTo(x, y - MARK);
  context.lineTo(x + MARK, y);
  context.lineTo(x, y + MARK);
  context.lineTo(x - MARK, y);
  context.closePath();
  context.fill();
  context.stroke();
}

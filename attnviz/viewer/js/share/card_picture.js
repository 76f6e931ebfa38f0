// A picture for a post, of the size that link cards have: the photo with its map, the network, one sentence.
import { titleOf } from '../changes/edits.js';
import { drawOverlay } from '../drawing/overlay.js';
import { drawProfile, ink, linesOf } from '../drawing/canvas.js';
import { mapRange, weightLimits, weightsOf } from '../numbers/analysis.js';
import { percent } from '../numbers/format.js';

const WIDTH = 1200;
const HEIGHT = 630;
const MARGIN = 44;
const PICTURE = [640, HEIGHT - 2 * MARGIN];
const GAP = 40;
const FAMILY = 'system-ui, sans-serif';

/** A canvas of 1200 by 630 pixels of what ``viewer`` shows. */
export function cardPicture(viewer) {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d');
  context.fillStyle = getComputedStyle(viewer.element).backgroundColor;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  const end = drawMap(context, viewer);
  drawWords(context, viewer, end + GAP);
  return canvas;
}

/** The photo with the map, as large as there is room; where it ends. */
function drawMap(context, viewer) {
  const { trace, state } = viewer;
  const layer = viewer.layer();
  const ratio = Math.min(PICTURE[0] / trace.photo.width, PICTURE[1] / trace.photo.height);
  const size = [trace.photo.width * ratio, trace.photo.height * ratio];
  context.save();
  context.translate(MARGIN, (HEIGHT - size[1]) / 2);
  const range = layer?.map && mapRange(trace, layer, state.scale, viewer.scaleTraces());
  drawOverlay(context, trace, layer, range, state, size);
  context.restore();
  return MARGIN + size[0];
}

function drawWords(context, viewer, left) {
  const { say, trace } = viewer;
  const layer = viewer.layer();
  const theme = viewer.theme.name();
  const width = WIDTH - MARGIN - left;
  const write = (text, size, weight, colour, top) => {
    context.font = `${weight} ${size}px ${FAMILY}`;
    context.fillStyle = ink(theme, colour);
    return drawLines(context, text, left, top, width, size * 1.3);
  };
  let top = write('attnviz', 30, 700, 'subdued', MARGIN + 30);
  top = write(titleOf(say, trace), 40, 700, 'text', top + 34);
  const changed = trace.change && viewer.tools?.changesInWords(viewer);
  if (changed) top = write(changed, 24, 400, 'text', top - 8);
  if (layer) top = write(layer.name, 28, 400, 'subdued', top + 4);
  const [best] = trace.top;
  const said = best && say('post_most_like', { label: best[0], share: percent(best[1]) });
  if (said) top = write(said, 28, 600, 'text', top + 28);
  const sentence = layer?.map ? 'post_map' : layer ? 'post_channels' : 'post_plain';
  top = write(say(sentence), 26, 400, 'text', top + 28);
  const weights = layer && weightsOf(layer);
  if (!weights || top > HEIGHT - MARGIN - 60) return;
  context.save();
  context.translate(left, HEIGHT - MARGIN - 70);
  drawProfile(context, weights, weightLimits(layer), width, 70, ink(theme, 'accent'));
  context.restore();
}

/** Text in lines of at most that width; where the next line would be. */
function drawLines(context, text, left, top, width, leading) {
  let y = top;
  for (const line of linesOf(context, text, width)) {
    context.fillText(line, left, y);
    y += leading;
  }
  return y;
}

// The caption of a figure for a paper, in the letters that the figure has.
import { titleOf } from '../changes/edits.js';
import { weightsOf } from '../numbers/analysis.js';

/** The caption of a figure with ``panels`` of ``layers``, as drawing/paper.py letters them. */
export function captionOf(viewer, panels, layers) {
  const { say, trace } = viewer;
  const sentences = [];
  let letter = 0;
  const lettered = (count, key, values) => {
    const first = letterOf(letter);
    letter += count;
    const letters = count === 1 ? first : `${first}–${letterOf(letter - 1)}`;
    sentences.push(`(${letters}) ${say(key, values)}`);
  };
  if (panels.includes('photo')) lettered(1, 'caption_photo', { photo: trace.photo.name });
  for (const layer of layers) addLayer(viewer, panels, layer, lettered);
  const about = say('caption', { network: titleOf(say, trace), photo: trace.photo.name });
  return [about, `${sentences.join(say('caption_between'))}${say('caption_end')}`].join(' ');
}

function addLayer({ say, state }, panels, layer, lettered) {
  const { channel } = state;
  const { name, title, height, width } = layer;
  const weights = weightsOf(layer);
  const isChosen = layer.name === state.layer && channel !== null;
  if (panels.includes('map') && layer.map)
    lettered(1, mapKey(layer, state), {
      layer: name,
      kind: title,
      height,
      width,
      scale: say(`scale_${state.scale}`),
    });
  if (panels.includes('channels') && weights)
    lettered(1, isChosen ? 'caption_channels_marked' : 'caption_channels', {
      layer: name,
      count: weights.length,
      channel,
    });
  if (panels.includes('channel') && isChosen && layer.formula !== 'none')
    lettered(3, 'caption_channel', { layer: name, channel });
  if (panels.includes('steps')) lettered(stepCount(layer), 'caption_steps', { layer: name });
}

/** What is said of a map: in which way it is drawn, and of which kind. */
function mapKey({ kind }, { way }) {
  return `caption_map${kind === 'bam' ? '_bam' : ''}${way === 'dim' ? '_dim' : ''}`;
}

/** How many steps a figure has of a layer: those that were computed, and the gates. */
function stepCount(layer) {
  const gates = [
    layer.channel_logits,
    layer.spatial_logits,
    layer.channel ?? layer.paths,
    layer.map,
  ];
  return layer.steps.length + gates.filter(Boolean).length;
}

const letterOf = (place) => String.fromCharCode('a'.charCodeAt(0) + (place % 26));

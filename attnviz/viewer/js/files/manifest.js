// What a zip says of itself, manifest.json, as export/manifest.py writes it: the script in the zip reads it.
import { summary } from '../numbers/analysis.js';
import { changedBy, photoEntry } from './changed.js';

const TOLERANCE = 1e-4; // of numbers that two programs add up
const EQUALITY = `A browser computed these arrays. Made again by reproduce.py, they agree to ${TOLERANCE}.`;

/** The manifest of ``entries`` (see bundle.js), each in its folder, as plain values. */
export function manifestOf({ entries, folders, selection, files, version }) {
  return {
    traces: entries.map((entry, index) => traceEntry(entry, folders[index])),
    beside: [],
    pairs: [],
    settings: { ...selection.look, tab: selection.tab },
    versions: { attnviz: version, browser: navigator.userAgent, threads: 1 },
    equality: EQUALITY,
    tolerance: TOLERANCE,
    files: files.toSorted(),
  };
}

function traceEntry({ trace, layers, channels, photo, others, about }, folder) {
  const { seen, top, doubt, asked, remarks } = trace;
  const { name, width, height } = trace.photo;
  return {
    folder,
    photo: photoEntry({ ...photo, name, width, height }),
    network: {
      name: asked.network,
      architecture: about.architecture,
      weights_sha256: about.sha256,
      folded: false,
      built: {},
    },
    preprocessing: {
      recipe: about.recipe,
      view: asked.view,
      seen_box: seen.box,
      input_size: seen.size,
    },
    ...changedBy(asked.edits, others),
    remarks: remarks.map(({ en }) => en),
    predictions: predictionsOf(top),
    ...beforeOf(trace.change),
    doubtful: doubt ? doubt.doubtful : null,
    layers: Object.fromEntries(layers.map((layer) => [layer.name, layerEntry(layer)])),
    channels: channels.map(({ layer, channel }) => ({
      layer,
      channel,
      arrays: `${layer}.channel-${channel}`,
    })),
  };
}

const predictionsOf = (top) => top.map(([label, probability]) => ({ label, probability }));

/** What the network said before it was changed, and the change of that answer's score. */
const beforeOf = (change) =>
  change
    ? { before: { predictions: predictionsOf(change.before), score_change: change.scoreChange } }
    : {};

function layerEntry({ kind, formula, channels, height, width, box, channel, map }) {
  const entry = { kind, formula, shape: [channels, height, width], map_box: box };
  entry.channel = shortened(summary(channel.values, kind));
  if (map) entry.spatial = shortened(summary(map.values, kind));
  return entry;
}

/** A summary under the names that Python has. */
function shortened({ mean, std, least, greatest, highShare, lowShare, undefinedCount }) {
  return {
    mean,
    std,
    least,
    greatest,
    high_share: highShare,
    low_share: lowShare,
    undefined: undefinedCount,
  };
}

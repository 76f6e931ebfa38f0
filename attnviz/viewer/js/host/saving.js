// What a page without a server saves: a zip of what is on the screen or of all there is, a page to explore, and the numbers of
// one figure.
import { bundleOf } from '../files/bundle.js';
import { pageOf } from '../files/page.js';
import {
  answersTable,
  channelTable,
  layersTable,
  mapTable,
  pairTable,
  photosTable,
  stepsTable,
  weightsTable,
} from '../files/tables.js';
import { weightsOf } from '../numbers/analysis.js';
import { channelFactor } from '../numbers/factors.js';
import { patchesIn } from './changing.js';
import { topOf } from '../worker/answer.js';

/** What can be saved, see host.js. */
export const SAVES = ['screen', 'all', 'page', 'figure csv'];

const KEPT = 60_000; // ms, of a file: some browsers read it a while later

/** The file of a Selection (see host.js), {address, name}. ``calls`` are the host's capture and features, ``about`` gives what the
 * site says of a network, and ``photoFile`` a photo's pixels. */
export async function savedFile(selection, calls, options) {
  const entries = [];
  for (const request of selection.shown) {
    options?.signal?.throwIfAborted();
    entries.push(await entryOf(request, selection, calls));
  }
  const { name, what } = selection;
  if (what === 'page') return pageFile(entries, selection, calls);
  if (what !== 'figure') return zipFile(entries, selection, calls, options);
  const content = TABLES[selection.figure](entries, selection);
  return asFile(new Blob([content], { type: 'text/csv' }), `${name}.csv`);
}

function asFile(blob, name) {
  const address = URL.createObjectURL(blob);
  setTimeout(() => URL.revokeObjectURL(address), KEPT);
  return { address, name };
}

async function pageFile(entries, selection, calls) {
  const captures = [];
  for (const { trace } of entries)
    captures.push({ trace, photo: await calls.photoOf(trace.asked.photo) });
  const content = pageOf(captures, selection, await calls.pageParts());
  return asFile(new Blob([content], { type: 'text/html' }), `${selection.name}.html`);
}

async function zipFile(entries, selection, calls, options) {
  for (const entry of entries) {
    const { edits, ...asked } = entry.trace.asked;
    entry.photo = await calls.photoFile(asked);
    entry.others = [];
    for (const photo of patchesIn(edits))
      entry.others.push([photo, await calls.photoFile({ ...asked, photo })]);
  }
  const texts = await calls.texts();
  const pictures = await Promise.all(
    (await options.pictures()).map(async ([name, blob]) => [
      name,
      new Uint8Array(await blob.arrayBuffer()),
    ]),
  );
  const report = options.report;
  const zip = await bundleOf({ entries, pictures, selection, texts, report });
  options.signal?.throwIfAborted();
  return asFile(zip, `${selection.name}.zip`);
}

/** What is saved of one request: its trace, the layers that are meant, and the channel that is chosen. */
async function entryOf(request, selection, calls) {
  const trace = await calls.capture(request);
  const { what, figure, tab, channel } = selection;
  const named = selection.compared[request.network] ?? selection.layer;
  const isAll = what === 'all' || figure === 'photos';
  const layers = isAll ? trace.layers : trace.layers.filter(({ name }) => name === named);
  const chosen = trace.layers.find(({ name }) => name === selection.layer);
  const channels = [];
  if (tab === 'explore' && chosen && channel !== null) {
    const features = await calls.features({ ...request, layer: chosen.name, channel });
    channels.push({ layer: chosen.name, channel, ...features });
  }
  return { trace, layers, channels, about: calls.about(request.network) };
}

const withLayers = (entries) => entries.map(({ trace, layers }) => [trace, layers]);
const withChosen = (entries) =>
  entries.filter(({ layers }) => layers.length).map(({ trace, layers }) => [trace, layers[0]]);

/** The table of each figure. */
const TABLES = {
  map: ([{ layers }]) => mapTable(layers[0]),
  channels: ([{ layers }]) => weightsTable(layers[0]),
  channel: ([{ layers, channels }]) => {
    const { map, number } = channelFactor(layers[0], channels[0].channel);
    return channelTable(channels[0], (index) => (map ? map.values[index] : number));
  },
  steps: ([{ layers }]) => stepsTable(layers[0]),
  answer: ([{ trace, about }]) =>
    answersTable(topOf(trace.logits, about.labels, trace.logits.length)),
  networks: (entries) => layersTable(withLayers(entries)),
  photos: (entries) => layersTable(withLayers(entries)),
  spread: (entries) => photosTable(withChosen(entries)),
  pair: (entries, { a, b }) => {
    const weighted = withChosen(entries).filter(([, layer]) => weightsOf(layer));
    const layerOf = (photo, place) =>
      (weighted.find(([trace]) => trace.asked.photo === photo) ?? weighted[place])[1];
    return pairTable(layerOf(a, 0), layerOf(b, 1));
  },
};

// The zip of what was looked at: arrays, photo, pictures, tables, what it is of, and the script that makes the arrays again. The
// counterpart of export/bundle.py.
import { manifestOf } from './manifest.js';
import { npzOf } from './npz.js';
import { channelsTable } from './tables.js';
import { zipped } from './zip.js';

const UNSAFE = /[^\p{L}\p{N}_.-]+/gu; // in a file's name
const LONGEST = 80; // characters of it

/** A zip of ``entries``, [{trace, layers, channels: [{layer, channel, before, after}], photo: {png, sha256}, others, about}], as a
 * Blob; ``others``: the photos whose gates were put in, [[name, photo]]. ``pictures`` are [[name, bytes]]; ``texts``: what the site has to say in a zip; ``report`` is told {done, total}. */
export async function bundleOf({ entries, pictures, selection, texts, report }) {
  const folders = foldersOf(entries);
  const files = [...pictures];
  for (const [index, entry] of entries.entries()) {
    files.push(
      [`${folders[index]}arrays.npz`, await npzOf(arraysOf(entry))],
      [`${folders[index]}photo.png`, entry.photo.png],
    );
    entry.others = withFiles(entry.others);
    for (const { file, photo } of entry.others) files.push([`${folders[index]}${file}`, photo.png]);
  }
  files.push(['channels.csv', channelsTable(entries.map(({ trace, layers }) => [trace, layers]))]);
  const paths = [...files.map(([path]) => path), 'manifest.json', 'reproduce.py', 'README.txt'];
  const manifest = manifestOf({
    entries,
    folders,
    selection,
    files: paths,
    version: texts.version,
  });
  files.push(
    ['manifest.json', inUTF8(JSON.stringify(manifest, null, 1))],
    ['reproduce.py', inUTF8(texts.script)],
    ['README.txt', inUTF8(readme(texts, entries, paths))],
  );
  return zipped(files, (done) => report?.({ done, total: files.length }));
}

const inUTF8 = (text) => new TextEncoder().encode(text);

/** A folder for each trace, with a slash at its end; none for a single one. */
function foldersOf(entries) {
  if (entries.length === 1) return [''];
  const taken = new Set();
  return entries.map(({ trace: { photo, network } }) => {
    const stem = `${photo.name.replace(/\.[^.]+$/, '')}-${network.name}`;
    return `${freeName(stem, taken)}/`;
  });
}

/** The photos whose gates were put in, [[name, photo]], each with a ``file``. */
function withFiles(others) {
  const taken = new Set();
  return others.map(([name, photo]) => {
    const stem = `gates-of-${photo.name.replace(/\.[^.]+$/, '')}`;
    return { name, photo, file: `${freeName(stem, taken)}.png` };
  });
}

/** A name that files can have, and none of those that are taken. */
function freeName(stem, taken) {
  const safe = stem.replace(UNSAFE, '-').slice(0, LONGEST);
  let name = safe;
  for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${safe}-${number}`;
  taken.add(name.toLowerCase());
  return name;
}

/** The arrays of a trace by the names that export/numbers.py gives them. */
function arraysOf({ trace, layers, channels }) {
  const { logits } = trace;
  const named = { logits: { values: logits, height: 1, width: logits.length } };
  for (const layer of layers) {
    for (const part of ['channel', 'channel_logits', 'spatial_logits', 'sizes'])
      if (layer[part]) named[`${layer.name}.${part}`] = layer[part];
    if (layer.map) named[`${layer.name}.spatial`] = layer.map;
    for (const step of layer.steps) named[`${layer.name}.step.${step.name}`] = step;
  }
  for (const { layer, channel, before, after } of channels) {
    named[`${layer}.channel-${channel}.before`] = { ...before, isMap: true };
    named[`${layer}.channel-${channel}.after`] = { ...after, isMap: true };
  }
  return named;
}

/** What a zip of these files says of itself to people. */
function readme({ readme: text, kinds }, entries, paths) {
  const names = paths.map((path) => path.split('/').at(-1));
  const isOf = (name, kind) => (kind.startsWith('.') ? name.includes(kind) : name.startsWith(kind));
  const present = kinds.filter(([kind]) => names.some((name) => isOf(name, kind)));
  const width = Math.max(...present.map(([kind]) => kind.length));
  const lines = present.map(([kind, about]) => `  ${kind.padEnd(width)}  ${about}`);
  const what = entries.map(({ trace }) => `${trace.photo.name} in ${trace.network.name}`);
  return text.replace('{what}', () => what.join(', ')).replace('{files}', () => lines.join('\n'));
}

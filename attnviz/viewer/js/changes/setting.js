// Single channels and cells of a layer that are set to a value: {channel, cells}, Maps from a channel's number, and from a cell
// as 'row,column', to what its factor is then.
import { isChanging, keyOfEdits } from './edits.js';

const BAM = [1, 2]; // what its factor can be, whatever was made of it
const GATE = [0, 1];
const DECIMALS = 3;

/** Whether a kind of edits can be made of the network that is shown. */
export function takes({ host, networks, trace }, kind) {
  const own = networks.find(({ name }) => name === trace.asked.network)?.edits;
  return (own ?? host.edits).includes(kind);
}

/** Whether single channels of a layer can be set here, and whether cells of its map can. */
export const canSetChannels = (viewer, layer) => canSet(viewer, layer) && Boolean(layer.channel);
export const canSetCells = (viewer, layer) =>
  canSet(viewer, layer) && Boolean(layer?.map && layer.spatial);

const canSet = (viewer, layer) =>
  isChanging(viewer) && takes(viewer, 'set') && layer && layer.formula !== 'none';

/** [low, high] that one gate of a layer can be set to: of a sum each gate is one of its terms. */
export function settableRange(layer) {
  if (layer.kind === 'bam') return BAM;
  return layer.formula === 'sum' ? GATE : layer.limits;
}

/** A value within a range, to as many decimals as people set. */
export const rounded = (value, [low, high]) =>
  Number(Math.min(high, Math.max(low, value)).toFixed(DECIMALS));

/** What edits set of a layer. */
export function settingOf(edits, layer) {
  const sets = (edits[layer] ?? []).filter(({ edit }) => edit === 'set');
  const cells = sets.flatMap((each) => each.cells ?? []);
  return {
    channel: new Map(sets.flatMap(({ channel = [] }) => channel)),
    cells: new Map(cells.map(([row, column, value]) => [`${row},${column}`, value])),
  };
}

/** What is set of a layer, or is about to be. */
export function shownSetting(viewer, layer) {
  const setting = settingOf(viewer.edits(), layer.name);
  return viewer.draft?.layer === layer.name ? merged(setting, viewer.draft) : setting;
}

/** Edits in which this, and nothing else, is set of a layer, behind what is done to all of it. */
export function withSetting(edits, layer, { channel, cells }) {
  const { [layer]: before = [], ...others } = edits;
  const each = before.filter(({ edit }) => edit !== 'set');
  const set = { edit: 'set' };
  if (channel.size) set.channel = sorted([...channel]);
  if (cells.size)
    set.cells = sorted([...cells].map(([cell, value]) => [...cell.split(',').map(Number), value]));
  if (channel.size || cells.size) each.push(set);
  return each.length ? { ...others, [layer]: each } : others;
}

const sorted = (rows) => rows.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);

/** Show what is about to be set of a layer, as long as it is not decided. */
export function propose(viewer, layer, changed) {
  viewer.draft = { layer: layer.name, ...changed };
  viewer.draw();
}

/** Set what was proposed last. */
export function settle(viewer) {
  const { draft } = viewer;
  viewer.draft = null;
  if (draft) put(viewer, draft.layer, draft);
}

/** Set some channels and cells of a layer, those whose value is null as they are. */
export function put(viewer, layer, changed) {
  replace(viewer, layer, merged(settingOf(viewer.edits(), layer), changed));
}

/** Set just this of a layer. */
export function replace(viewer, layer, setting) {
  const before = viewer.edits();
  const edits = withSetting(before, layer, setting);
  if (keyOfEdits(edits) === keyOfEdits(before)) viewer.draw();
  else viewer.change(edits);
}

function merged(setting, { channel = new Map(), cells = new Map() }) {
  return { channel: both(setting.channel, channel), cells: both(setting.cells, cells) };
}

function both(first, second) {
  const all = [...new Map([...first, ...second])];
  return new Map(all.filter(([, value]) => value !== null));
}

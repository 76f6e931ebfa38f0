// One channel: its features before the gate, the gate, and after, on one scale. The features are asked for once.
import { summary, weightsOf } from './analysis.js';
import { contextOf, onWidth } from './canvas.js';
import { changes } from './changes.js';
import { fill, h } from './dom.js';
import { channelFactor } from './factors.js';
import { digits } from './format.js';
import { colourBar, drawMap } from './heatmap.js';
import { clamp } from './scale.js';
import { cellRows, foldedTable } from './tables.js';

const KEPT = 40; // channels whose features are not asked for again
const TALLEST = 300; // px, of a picture

/** The chosen channel. */
export class ChannelPanel {
  #viewer;
  #title = h('h3');
  #pictures = h('div', { class: 'av-channel' });
  #note = h('p', { class: 'av-note', role: 'status' });
  #tables = h('div');
  #kept = new Map(); // key of a channel -> promise of its features
  #changed = changes();
  #wanted = ''; // key of the channel to show
  #width = 0; // px

  constructor(viewer) {
    this.#viewer = viewer;
    const parts = [this.#title, this.#pictures, this.#note, this.#tables];
    this.element = h('section', { class: 'av-panel', 'data-guide': 'channel' }, parts);
    onWidth(this.element, (width) => {
      this.#width = width;
      if (viewer.trace) this.draw();
    });
  }

  draw() {
    const { state, say, trace, language } = this.#viewer;
    const { channel, colours, smooth } = state;
    const layer = this.#viewer.layer();
    this.element.hidden = !layer || !weightsOf(layer);
    if (this.element.hidden) return;
    this.#title.textContent =
      channel === null
        ? say('channel_title_none')
        : say('channel_title', { channel, layer: layer.name });
    const key = [trace.id, layer.name, channel].join();
    const look = [colours, smooth, language, this.#width, this.#viewer.dark()];
    if (!this.#changed('look', key, look)) return;
    this.#wanted = key;
    const text = withoutFeatures(this.#viewer, layer);
    if (text) this.#showText(text);
    else this.#show(key, layer, channel);
  }

  /** Let go of all features. */
  forget() {
    this.#kept.clear();
    this.#changed = changes();
  }

  /** Show a channel's features once they are there, if it is still wanted then. */
  async #show(key, layer, channel) {
    if (!this.#kept.has(key)) this.#note.textContent = this.#viewer.say('waiting');
    try {
      const { before, after } = await this.#features(key, layer, channel);
      if (this.#wanted === key) this.#showFeatures(layer, channel, before, after);
    } catch (error) {
      this.#kept.delete(key);
      if (this.#wanted === key) this.#showText(this.#viewer.errorText(error));
    }
  }

  #features(key, layer, channel) {
    const kept = this.#kept;
    if (!kept.has(key)) {
      kept.set(key, this.#viewer.host.channel(this.#viewer.trace, layer.name, channel));
      if (kept.size > KEPT) kept.delete(kept.keys().next().value);
    }
    return kept.get(key);
  }

  /** Words in place of pictures. */
  #showText(text) {
    fill(this.#pictures);
    fill(this.#tables);
    this.#note.textContent = text;
  }

  #showFeatures(layer, channel, before, after) {
    const viewer = this.#viewer;
    const factor = channelFactor(layer, channel);
    const range = featuresRange(before, after);
    fill(this.#pictures, channelPictures(viewer, before, factor, after, range, this.#width));
    this.#note.textContent = channelNote(viewer, factor, range, before);
    fill(this.#tables, channelTable(viewer, before, factor, after));
  }
}

/** Why there are no features to show; empty if there are. */
function withoutFeatures({ say, host, state }, layer) {
  if (layer.formula === 'none') return say('channel_none');
  if (!host?.channel) return say('channel_offline');
  return state.channel === null ? say('channel_hint') : '';
}

/** [low, high] for the features before and after the gate: from 0, or on both sides of it if some are negative. */
function featuresRange(before, after) {
  const ranges = [before, after].map(({ values }) => summary(values));
  const reach = Math.max(...ranges.flatMap(({ least, greatest }) => [-least, greatest])) || 1;
  return [ranges.some(({ least }) => least < 0) ? -reach : 0, reach];
}

/** Figures of the features before, of the gate, and of the features after. */
function channelPictures({ say, state }, before, factor, after, range, panelWidth) {
  const width = clamp((panelWidth - 40) / 3, 90, 210);
  const look = { colours: state.colours, smooth: state.smooth };
  const featureLook = { ...look, colours: range[0] < 0 ? 'coolwarm' : look.colours };
  return [
    mapFigure(say, say('before'), before, range, featureLook, width),
    factor.map
      ? mapFigure(say, say('the_gate'), factor.map, factor.range, look, width)
      : factorFigure(say, factor),
    mapFigure(say, say('after'), after, range, featureLook, width),
  ];
}

/** A map with its colour bar and its range in words. */
function mapFigure(say, title, map, range, look, width) {
  const { least, greatest } = summary(map.values);
  const span = say('span', { low: digits(least), high: digits(greatest) });
  const canvas = h('canvas', { role: 'img', 'aria-label': `${title}: ${span}` });
  const height = Math.min(TALLEST, (width * map.height) / map.width);
  drawMap(contextOf(canvas, width, height), map, range, look, [0, 0, width, height]);
  const caption = h('figcaption', {}, title, h('br'), h('small', {}, span));
  return h('figure', {}, canvas, colourBar(range, look.colours, width), caption);
}

function factorFigure(say, { number, average }) {
  const text = h('div', {}, h('span', {}, `× ${digits(number ?? average)}`));
  return h('figure', { class: 'av-factor' }, text, h('figcaption', {}, say('the_gate')));
}

function channelNote({ say }, { map, number, average }, [low, high], { height, width }) {
  const key = average === undefined ? 'channel_note' : 'channel_note_mean';
  return say(map ? 'channel_note_map' : key, {
    low: digits(low),
    high: digits(high),
    height,
    width,
    factor: digits(number ?? average ?? NaN),
  });
}

/** Features and gate as a table, cell by cell. */
function channelTable({ say }, before, { map }, after) {
  const gate = map ? [map] : [];
  const names = [say('before'), ...gate.map(() => say('the_gate')), say('after')];
  return foldedTable('channel', say('channel_table'), () => {
    const columns = [before, ...gate, after].map(({ values }) => {
      return (index) => digits(values[index]);
    });
    return [[say('row'), say('column'), ...names], cellRows(before, columns)];
  });
}

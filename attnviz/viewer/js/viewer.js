// A trace explored in one element. Knows nothing of the page around it: what needs a network, or a server, is asked of
// the host.
import { barsPanel } from './bars.js';
import { forgetInks } from './canvas.js';
import { changes } from './changes.js';
import { ChannelPanel } from './channel.js';
import { describeLayer, describeMap, describePicture } from './descriptions.js';
import { h } from './dom.js';
import { guide } from './guide.js';
import { header } from './header.js';
import { help } from './help.js';
import { spokenLanguage, textIn } from './languages.js';
import { EXAMPLE } from './link.js';
import { mapPanel } from './map.js';
import { mechanismPanel } from './mechanism.js';
import { networksPanel } from './networks.js';
import { photosPanel } from './photos.js';
import { channelOn, chooseCompared, FIRST_STATE, FORGOTTEN, openingLayer, pinOn } from './state.js';
import { StripPanel } from './strip.js';
import { openCapture } from './traces.js';

const TRACES_KEPT = 8; // of a visit, to be compared

/**
 * Draw captures (see viewer/encoding.py) into an element once they are shown, and give back the viewer. The host may have
 *   channel(trace, layer, channel) -> {before, after}    features, as arrays
 *   capture(request) -> capture, networks() -> [[name, title]], examples() -> [{photo, name}]     to compare
 *   save(what, viewer), link(viewer), cbam(), changed(viewer)      a bundle, a link, a network with maps, another view
 */
export function mount(element, host = null) {
  return new Viewer(element, host);
}

/** What the panels know of each other: the trace that is shown, the state, the language, and how to change them. */
class Viewer {
  trace = null; // that is shown, see ``openCapture``
  traces = []; // of this visit; in a file that holds several, those
  state = { ...FIRST_STATE };
  language = 'en';
  #changed = changes();
  #explore = h('div', { class: 'av-explore' });
  #header;
  #panels; // of the first tab
  #comparisons; // of the other tabs, by their names

  constructor(element, host) {
    this.element = element;
    this.host = host;
    this.guide = guide(this);
    const dialog = help(this);
    this.#header = header(this, this.guide, dialog);
    this.#panels = {
      strip: new StripPanel(this),
      map: mapPanel(this),
      bars: barsPanel(this),
      channel: new ChannelPanel(this),
      mechanism: mechanismPanel(this),
    };
    this.#comparisons = { networks: networksPanel(this), photos: photosPanel(this) };
    this.#fill(dialog);
    const ofTheme = { attributes: true, attributeFilter: ['class'] }; // light to dark and back
    new MutationObserver(() => this.draw()).observe(document.body, ofTheme);
  }

  #fill(dialog) {
    const { strip, map, bars, channel, mechanism } = this.#panels;
    const { networks, photos } = this.#comparisons;
    const column = h('div', { class: 'av-column' }, bars.element, channel.element);
    const columns = h('div', { class: 'av-columns' }, map.element, column);
    this.#explore.append(strip.element, columns, mechanism.element);
    this.element.classList.add('attnviz');
    this.element.replaceChildren(
      ...this.#header.elements,
      this.#explore,
      networks.element,
      photos.element,
      this.guide.element,
      dialog.element,
    );
  }

  /** A text in the viewer's language, its {holes} filled with values. */
  say = (key, values = {}) => textIn(this.language, key, values);

  describe = (layer) => describeLayer(this.say, layer);
  describeMap = (layer) => describeMap(this.say, layer);
  describePicture = (trace, layer) => describePicture(this.say, trace, layer);

  /** What an error says, if the host said it; else that the answer was lost. */
  errorText = (error) => (error?.told ? error.message : this.say('lost'));

  open = (capture) => openCapture(capture);

  /** The layer that is shown; null if the network has no attention. */
  layer() {
    return this.trace.layers.find((layer) => layer.name === this.state.layer) ?? null;
  }

  /** Whether the page is dark: a Gradio page says so itself, else the browser does. */
  dark() {
    if (this.element.closest('.dark')) return true;
    if (this.element.closest('.gradio-container')) return false;
    return matchMedia('(prefers-color-scheme: dark)').matches;
  }

  /** The traces that the one shown is compared with: its photo in other networks, its network with other photos; in a
   * file that holds several, those. */
  compared() {
    if (!this.host) return this.traces.filter((trace) => trace !== this.trace);
    const { network, photo, view } = this.trace.asked;
    const { networks, photos } = this.#comparisons;
    const others = [
      ...networks
        .traces()
        .filter(({ asked }) => asked.network !== network && asked.photo === photo),
      ...photos.traces().filter(({ asked }) => asked.network === network && asked.photo !== photo),
    ];
    return others.filter(({ asked }) => asked.view === view);
  }

  /** The traces whose maps share the scale with the one shown. */
  scaleTraces() {
    return this.state.scale === 'shown' ? this.compared() : [];
  }

  /** Photos that can be compared, {photo, name}: the examples, what was looked at in this visit, and what a link or
   * another network's examples left chosen. */
  photos() {
    const photos = new Map(
      (this.host?.examples?.() ?? []).map((example) => [example.photo, example]),
    );
    for (const { asked, photo } of this.traces)
      photos.set(asked.photo, { photo: asked.photo, name: photo.name });
    for (const photo of this.state.photos)
      if (photo.startsWith(EXAMPLE) && !photos.has(photo))
        photos.set(photo, { photo, name: `${photo.slice(EXAMPLE.length)}.jpg` });
    return [...photos.values()];
  }

  /** Show a capture, or the first of several, with changes of the state. The layer stays if the network has it, or one
   * of its stage. */
  async show(captures, state = {}) {
    const traces = await Promise.all([captures].flat().map(openCapture));
    const [trace] = traces;
    const before = this.trace && this.layer();
    this.trace = trace;
    this.traces = this.host ? this.#visited(trace) : traces;
    const layer = openingLayer(trace, state.layer ?? this.state.layer, before);
    const sameChannel = layer?.name === before?.name ? this.state.channel : null;
    Object.assign(this.state, state, {
      layer: layer?.name ?? null,
      channel: channelOn(layer, state.channel ?? sameChannel),
      pin: pinOn(layer, this.state.pin),
    });
    chooseCompared(this.state, trace, this.host?.networks?.() ?? [], this.photos());
    this.#openComparison();
    this.draw();
    this.element.dataset.drawn = String(trace.id);
    return this;
  }

  /** The traces of this visit with one more, one for each photo. */
  #visited(trace) {
    const others = this.traces.filter(({ asked }) => asked.photo !== trace.asked.photo);
    return [...others, trace].slice(-TRACES_KEPT);
  }

  /** Show another one of the traces. */
  choose(trace) {
    this.trace = trace;
    const layer = this.layer() ?? trace.layers.at(-1);
    this.set({ layer: layer?.name ?? null, channel: null, pin: null });
  }

  /** Let go of every trace and of all features: the visitor's photos were deleted. */
  forget() {
    this.traces = [];
    Object.assign(this.state, FORGOTTEN);
    const { networks, photos } = this.#comparisons;
    for (const panel of [this.#panels.channel, networks, photos]) panel.forget();
  }

  /** Change the state, and draw what follows from it. */
  set = (changed) => {
    const { state } = this;
    const { layer, tab } = state;
    Object.assign(state, changed);
    if (changed.layer && changed.layer !== layer) {
      state.pin = pinOn(this.layer(), state.pin);
      state.channel = changed.channel ?? null; // another layer's channel of that number is another one
    }
    if (changed.tab && changed.tab !== tab) this.#openComparison();
    this.draw();
    this.host?.changed?.(this);
  };

  speak(language) {
    this.language = spokenLanguage(language);
    this.#openComparison(); // what the server said in the other language is asked for again
    this.draw();
    this.host?.changed?.(this);
  }

  #openComparison() {
    this.#comparisons[this.state.tab]?.open();
  }

  draw() {
    if (!this.trace) return;
    const { state } = this;
    if (this.#changed('theme', this.dark())) forgetInks();
    // With another photo or network nothing may be compared any more
    if (state.tab === 'explore' && state.scale === 'shown' && !this.compared().length)
      state.scale = 'fixed';
    this.#header.draw();
    this.#explore.hidden = state.tab !== 'explore';
    for (const [tab, { element }] of Object.entries(this.#comparisons))
      element.hidden = state.tab !== tab;
    const comparison = this.#comparisons[state.tab];
    for (const panel of comparison ? [comparison] : Object.values(this.#panels)) panel.draw();
    this.guide.draw();
    this.#sayLanguage();
  }

  #sayLanguage() {
    const { tag } = LANGUAGES[spokenLanguage(this.language)];
    // To set it, even to what it is, makes the browser style all again
    if (this.element.lang !== tag) this.element.lang = document.documentElement.lang = tag;
  }
}

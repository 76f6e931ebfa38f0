// The app: what is shown, in which state, in which language, and how to change it. It knows nothing of the page around
// it; all that it can't do itself is asked of the host, see host/host.js.
import { hasEdits, requestOf, writeEdits } from '../changes/edits.js';
import { badgesInWords } from '../controls/badges.js';
import { Compared } from '../compare/compared.js';
import { HostError } from '../host/host.js';
import { describeLayer, describeMap, describePicture } from '../numbers/descriptions.js';
import { Examples } from '../photos/examples.js';
import { keepPhotos, MOST_KEPT } from '../photos/kept.js';
import { addPhotos, allPhotos, removePhoto } from '../photos/own.js';
import { download } from '../save/download.js';
import { nameOf } from '../save/names.js';
import { screenPictures } from '../save/screen.js';
import { selection } from '../save/selection.js';
import { isEmbedded } from '../share/embed.js';
import { h, render } from '../vendor/preact.js';
import { addressOf } from './address.js';
import { Captures } from './captures.js';
import { classIn, ENGLISH, spokenLanguage, textIn } from './languages.js';
import { partOf } from './later.js';
import { begin, beginAnew } from './opening.js';
import { Pointing } from './pointing.js';
import { Root } from './root.js';
import {
  channelOn,
  chooseCompared,
  FIRST_STATE,
  openingChannel,
  openingLayer,
  pinOn,
} from './state.js';
import { pageTheme } from './theme.js';
import { isTouch } from './touch.js';
import { Work } from './work.js';

/** Put the app into an element; ``start`` of what this gives begins it. ``page`` says what the page around it is like:
 * its ``language``, the ``theme`` that it asks for, whether its address is the app's (``hasAddress``), and the panel of its
 * live camera (``LiveCamera``), where it has one. */
export function mount(element, host, page = {}) {
  return new Viewer(element, host, page);
}

/** All that the components know of each other. They are drawn anew by ``draw``, after every change. */
class Viewer {
  trace = null; // that is shown, see ``openCapture``
  state = { ...FIRST_STATE };
  language = ENGLISH;
  networks = []; // that can be chosen, see host.js
  examples = []; // photos
  mine = []; // photos, the newest first
  opening = null; // what the host said at first, see host.js
  notice = null; // what was done or went wrong, {key, values} or {said}
  waiting = null; // what is under way, see work.js: {key, values, done, total}
  history = null; // the browser's, where it follows what is shown
  pointing = new Pointing(); // what is pointed at
  tools = null; // what shows and makes changes of gates, once it is needed, see changes/tools.js
  lesson = null; // the lesson, once it is opened, see learn/whole.js
  coming = {}; // such parts on their way, promises by name
  draft = null; // what is about to be set of a layer's gates, see changes/setting.js
  isBared = false; // whether the map is away for as long as a key is held
  #page;
  #examplesOf; // networks
  #wanted = null; // the request under way

  constructor(element, host, page) {
    this.element = element;
    this.host = host;
    this.#page = page;
    this.LiveCamera = page.LiveCamera ?? null;
    this.captures = new Captures(host);
    this.#examplesOf = new Examples(host);
    this.compared = new Compared(this);
    this.work = new Work(this);
    this.theme = pageTheme(() => this.draw(), page.theme);
    this.element.classList.add('attnviz');
  }

  /** A text in the viewer's language, its {holes} filled with values; under a finger, or where there is no server, in its
   * form for that if it has one. */
  say = (key, values = {}) => {
    const forms = [isTouch() && `${key}_by_touch`, this.host.isAlone && `${key}_without_server`];
    const form = forms.find((name) => name && name in WORDS[ENGLISH]);
    return textIn(this.language, form ?? key, values);
  };

  /** What a network's class is called. */
  classText = (name) => classIn(this.language, name);

  describe = (layer) =>
    [describeLayer(this.say, layer), badgesInWords(this.say, layer)].filter(Boolean).join('. ');
  describeMap = (layer) => describeMap(this.say, layer);
  describePicture = (trace, layer) => describePicture(this.say, trace, layer);

  /** A host's message in the viewer's language; null, of no answer, says so too. */
  messageText = (said) => {
    if (said === null || said === undefined || said === '') return this.say('lost');
    return typeof said === 'string' ? said : (said[this.language] ?? said[ENGLISH]);
  };

  errorText = (error) => this.messageText(error instanceof HostError ? error.said : null);

  /** The layer that is shown; null if the network has no attention. */
  layer() {
    return this.trace.layers.find((layer) => layer.name === this.state.layer) ?? null;
  }

  /** Whether only the map and the strip are shown, in somebody else's page. */
  get isEmbedded() {
    return Boolean(this.#page.hasAddress) && isEmbedded(location.href);
  }

  /** Begin: with what the address, or this entry of the history, asks for, and the host has. */
  start() {
    return begin(this, this.#page);
  }

  /** Offer the networks and examples of an opening. */
  offer(opening) {
    const { networks, examples, capture } = opening;
    this.opening = opening;
    this.networks = networks;
    this.examples = this.#examplesOf.put(capture.asked.network, this.language, examples);
  }

  /** Show another photo, network, view or edits, as soon as the host has answered, with what ``stateOf(trace)`` changes
   * of the state; what was under way is given up. Another network is shown as it is, unless edits are named. */
  open = async (changed, stateOf = () => ({})) => {
    const shown = this.trace.asked;
    const isSameNetwork = (changed.network ?? shown.network) === shown.network;
    const edits = isSameNetwork ? this.edits() : {};
    const request = requestOf({ ...shown, edits, ...changed });
    this.#wanted = request;
    await this.work.do({ key: 'waiting' }, async (options) => {
      const trace = await this.captures.get(request, options);
      await this.#withExamples(request.network, options);
      await this.show(trace, stateOf(trace));
      this.history?.follow();
    });
    if (this.#wanted !== request) return;
    this.#wanted = null;
    this.draw();
  };

  /** What is changed of the network's gates, or is about to be. */
  edits = () => this.#next().edits ?? {};

  /** Change gates: ``edits`` are all that is changed then. Another photo or view that is on its way still comes. */
  change = (edits) => {
    const { photo, view } = this.#next();
    return this.open({ photo, view, edits });
  };

  /** The request under way, if it asks for the network that is shown; else that of what is shown. */
  #next() {
    const { asked } = this.trace;
    return this.#wanted?.network === asked.network ? this.#wanted : asked;
  }

  async #withExamples(network, options) {
    if (network === this.trace.asked.network) return;
    this.examples = await this.#examplesOf.get(network, this.language, options);
  }

  /** Show a trace, with changes of the state. The layer stays if the network has it, or one of its stage. */
  async show(trace, changed = {}) {
    const { state } = this;
    const before = this.trace && this.layer();
    const isSameNetwork = this.trace?.asked.network === trace.asked.network;
    this.trace = trace;
    this.pointing.forget();
    const layer = openingLayer(trace, changed.layer ?? state.layer, before);
    // another network's channel of that number is another one
    const sameChannel = isSameNetwork && layer?.name === before?.name ? state.channel : null;
    Object.assign(state, changed, { layer: layer?.name ?? null });
    state.channel = channelOn(layer, changed.channel ?? sameChannel) ?? openingChannel(layer);
    state.pin = pinOn(layer, changed.pin ?? state.pin);
    chooseCompared(state, trace, this.networks, this.photos());
    this.compared.open();
    this.draw();
    await new Promise((done) => setTimeout(done)); // until all is as wide as it will be
    this.element.dataset.drawn = String(trace.id);
  }

  /** Show a view of the history, {asked, state}. */
  async restore({ asked, state }) {
    await this.work.do({ key: 'waiting' }, async (options) => {
      const trace = await this.captures.get(asked, options);
      await this.#withExamples(asked.network, options);
      this.state = { ...FIRST_STATE };
      await this.show(trace, state);
    });
  }

  /** Give up what is under way. */
  cancel = () => {
    this.work.giveUp();
    this.#wanted = null;
    this.draw();
  };

  /** Say what was done, {key, values}, or what went wrong, an error. */
  tell = (what) => {
    this.notice =
      what instanceof Error
        ? { said: what instanceof HostError ? what.said : null, isTrouble: true }
        : what;
    if (what instanceof Error && !(what instanceof HostError)) console.error(what);
    this.draw();
  };

  /** Take the visitor's photos, and let go of one of them. */
  addPhotos = (files) => addPhotos(this, files);
  removePhoto = (photo) => removePhoto(this, photo);

  /** Keep these as the visitor's photos, as many as there is room for. */
  keep(photos) {
    this.mine = photos.slice(0, MOST_KEPT);
    keepPhotos(this.mine);
  }

  /** Open weights of the visitor's own; whether that went well. */
  addNetwork = (own) =>
    this.work.do({ key: 'sending', values: { name: own.weights.name } }, async (options) => {
      const { network, assumed } = await this.host.addNetwork(
        { ...own, language: this.language },
        options,
      );
      this.networks = await this.host.networks(this.language);
      const { photo, view } = this.trace.asked;
      const request = { photo, network: network.name, view };
      const trace = await this.captures.get(request, options);
      await this.#withExamples(network.name, options);
      await this.show(trace);
      this.history?.follow();
      this.notice = assumed ? { said: assumed } : null;
      return true;
    });

  /** Save ``what``, 'screen', 'all', 'page', 'paper' or 'figure', of which ``more`` says more (see host.js). */
  save = (what, more = {}) =>
    this.work.do({ key: what === 'all' ? 'saving_all' : 'saving' }, async (options) => {
      const name = nameOf(this, more.figure ?? what);
      const pictures = () => screenPictures(this, what === 'all');
      const asked = { ...selection(this), what, name, ...more };
      const file = await this.host.save(asked, { ...options, pictures });
      download(file.address, file.name);
      this.notice = { key: 'saved' };
    });

  /** Go to a layer, perhaps of another photo or network, to explore it. */
  explore = async ({ layer, ...asked }) => {
    const isElsewhere = Object.entries(asked).some(
      ([key, value]) => this.trace.asked[key] !== value,
    );
    if (isElsewhere) await this.open(asked);
    this.set({ tab: 'explore', layer });
  };

  copyLink = async () => {
    this.history?.write();
    const said = await this.host.link(addressOf(this));
    const { edits } = this.trace.asked;
    this.tell(hasEdits(edits) && !writeEdits(edits) ? { key: 'link_without_changes' } : said);
  };

  /** Delete all that the visitor brought, and begin anew. */
  forget = () => beginAnew(this);

  /** The traces whose maps share the scale with the one shown. */
  scaleTraces() {
    return this.state.scale === 'shown' ? this.compared.traces() : [];
  }

  /** Photos that can be compared: the visitor's own, and the examples, those of another network too that are chosen. */
  photos() {
    return allPhotos(this);
  }

  /** Change the state, and draw what follows from it. */
  set = (changed) => {
    const { state } = this;
    const { layer, tab } = state;
    Object.assign(state, changed);
    if (changed.layer && changed.layer !== layer) {
      this.pointing.forget();
      state.pin = pinOn(this.layer(), state.pin);
      // another layer's channel of that number is another one
      state.channel = changed.channel ?? openingChannel(this.layer());
      if (!changed.compared) state.compared = {}; // what is compared follows the layer
    }
    if (changed.tab && changed.tab !== tab) {
      this.notice = null;
      this.compared.open();
    }
    this.draw();
    this.history?.follow();
  };

  /** Take the map away from the photo, or put it back. */
  bare = (isBared) => {
    if (this.isBared === isBared) return;
    this.isBared = isBared;
    this.draw();
  };

  /** Speak another language: what the host says in it is asked for again. */
  speak = async (language) => {
    this.language = spokenLanguage(language);
    this.draw();
    this.history?.follow();
    const { network } = this.trace.asked;
    const [networks, examples] = await Promise.all([
      this.host.networks(this.language),
      this.#examplesOf.get(network, this.language),
    ]).catch(() => [this.networks, this.examples]);
    Object.assign(this, { networks, examples });
    this.draw();
  };

  draw() {
    const { state } = this;
    if (this.trace?.change || (this.trace && state.switches)) partOf(this, 'tools');
    if (state.learn) partOf(this, 'lesson');
    // With another photo or network nothing may be compared any more
    if (
      this.trace &&
      state.tab === 'explore' &&
      state.scale === 'shown' &&
      !this.compared.traces().length
    )
      state.scale = 'fixed';
    render(h(Root, { viewer: this }), this.element);
    const { tag } = LANGUAGES[spokenLanguage(this.language)];
    // To set it, even to what it is, makes the browser style all again
    if (this.element.lang !== tag) this.element.lang = document.documentElement.lang = tag;
  }
}

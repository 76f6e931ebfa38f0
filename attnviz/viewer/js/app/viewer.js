// The app: what is shown, in which state, in which language, and how to change it. It knows nothing of the page around
// it; all that it can't do itself is asked of the host, see host/host.js.
import { hasEdits, requestOf } from '../changes/edits.js';
import { badgesInWords } from '../controls/badges.js';
import { collection } from '../compare/collection.js';
import { HostError } from '../host/host.js';
import { describeLayer, describeMap, describePicture } from '../numbers/descriptions.js';
import { bring } from '../photos/bring.js';
import { Examples } from '../photos/examples.js';
import { keepPhotos, keptPhotos, MOST_KEPT } from '../photos/kept.js';
import { download } from '../save/download.js';
import { nameOf } from '../save/names.js';
import { openPage } from '../learn/lesson.js';
import { screenPictures } from '../save/screen.js';
import { selection } from '../save/selection.js';
import { isEmbedded } from '../share/embed.js';
import { h, render } from '../vendor/preact.js';
import { addressOf, readAddress } from './address.js';
import { Captures } from './captures.js';
import { keepHistory, keptView } from './history.js';
import { classIn, ENGLISH, spokenLanguage, textIn } from './languages.js';
import { Pointing } from './pointing.js';
import { Root } from './root.js';
import {
  channelOn,
  chooseCompared,
  FIRST_STATE,
  FORGOTTEN,
  openingChannel,
  openingLayer,
  pinOn,
} from './state.js';
import { pageTheme } from './theme.js';

/** Put the app into an element; ``start`` of what this gives begins it. ``page`` says what the page around it is like:
 * its ``language``, the ``theme`` that it asks for, and whether its address is the app's (``hasAddress``). */
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
  waiting = null; // what is under way: {key, values, done, total}
  pointing = new Pointing(); // what is pointed at
  isBared = false; // whether the map is away for as long as a key is held
  #page;
  #examplesOf; // networks
  #abort = null; // ends what is under way
  #history = null;
  #wanted = null; // the request under way
  #beside = []; // requests whose traces belong to the one shown

  constructor(element, host, page) {
    this.element = element;
    this.host = host;
    this.#page = page;
    this.captures = new Captures(host);
    this.#examplesOf = new Examples(host);
    this.compared = this.#comparisons();
    this.theme = pageTheme(() => this.draw(), page.theme);
    this.element.classList.add('attnviz');
  }

  /** What is compared with the trace that is shown: its photo in other networks, its network with other photos. */
  #comparisons() {
    return {
      networks: collection(this, () =>
        this.state.networks.map((network) => ({ ...this.#asked(), network })),
      ),
      photos: collection(this, () =>
        this.state.photos.map((photo) => ({ ...this.#asked(), photo })),
      ),
    };
  }

  #asked() {
    const { photo, network, view } = this.trace.asked;
    return { photo, network, view };
  }

  /** A text in the viewer's language, its {holes} filled with values; where there is no server, in its other form. */
  say = (key, values = {}) => {
    const other = `${key}_alone`;
    return textIn(
      this.language,
      this.host.isAlone && other in WORDS[ENGLISH] ? other : key,
      values,
    );
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
  async start() {
    const asked = this.#page.hasAddress ? readAddress(location.href) : { state: {} };
    const kept = this.#page.hasAddress ? keptView() : null;
    this.language = spokenLanguage(asked.language ?? this.#page.language ?? ENGLISH);
    this.draw();
    const { photo, network, view, edits } = kept?.asked ?? asked;
    const wanted = { photo, network, view, language: this.language };
    try {
      await this.#begin(await this.host.start(wanted), kept?.state ?? asked.state, edits);
    } catch (error) {
      this.tell(error);
    }
  }

  async #begin(opening, { learn, ...state }, edits) {
    this.opening = opening;
    this.#offer(opening);
    this.mine = stillThere(keptPhotos(), opening.mine ?? []);
    const trace = await this.#changed(await this.captures.open(opening.capture), edits);
    this.#beside = opening.beside ?? [];
    if (opening.note) this.notice = { said: opening.note };
    if (opening.trouble) this.notice = { said: opening.trouble, isTrouble: true };
    await this.#show(trace, { ...opening.state, ...state });
    for (const request of this.#beside) await this.captures.get(request);
    if (this.#beside.length) this.draw();
    if (learn) await openPage(this, learn, state);
    if (this.#page.hasAddress) this.#history = keepHistory(this);
    this.#openComparison();
  }

  /** The trace with these edits, or as it is where they can't be made, which is said. */
  async #changed(trace, edits) {
    if (!hasEdits(edits)) return trace;
    if (!this.host.edits) {
      this.notice = { key: 'changes_not_here' };
      return trace;
    }
    return this.captures.get(requestOf({ ...trace.asked, edits })).catch((error) => {
      this.tell(error);
      return trace;
    });
  }

  /** Offer the networks and examples of an opening. */
  #offer({ networks, examples, capture }) {
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
    await this.#waitFor({ key: 'waiting' }, async (options) => {
      const trace = await this.captures.get(request, options);
      await this.#withExamples(request.network, options);
      await this.#show(trace, stateOf(trace));
      this.#history?.follow();
    });
    if (this.#wanted !== request) return;
    this.#wanted = null;
    this.draw();
  };

  /** What is changed of the network's gates, or is about to be. */
  edits = () => (this.#wanted ?? this.trace.asked).edits ?? {};

  /** Change gates: ``edits`` are all that is changed then. */
  change = (edits) => this.open({ edits });

  async #withExamples(network, options) {
    if (network === this.trace.asked.network) return;
    this.examples = await this.#examplesOf.get(network, this.language, options);
  }

  /** Show a trace, with changes of the state. The layer stays if the network has it, or one of its stage. */
  async #show(trace, changed = {}) {
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
    this.#openComparison();
    this.draw();
    await new Promise((done) => setTimeout(done)); // until all is as wide as it will be
    this.element.dataset.drawn = String(trace.id);
  }

  /** Show a view of the history, {asked, state}. */
  async restore({ asked, state }) {
    await this.#waitFor({ key: 'waiting' }, async (options) => {
      const trace = await this.captures.get(asked, options);
      await this.#withExamples(asked.network, options);
      this.state = { ...FIRST_STATE };
      await this.#show(trace, state);
    });
  }

  /** Do something that takes a while: ``action`` gets the host's options. What goes wrong is said. */
  async #waitFor(waiting, action) {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    const report = ({ done, total }) => {
      if (this.#abort !== abort) return;
      this.waiting = { ...this.waiting, done, total }; // whatever is waited for by now
      this.draw();
    };
    this.notice = null;
    this.waiting = waiting;
    this.draw();
    try {
      return await action({ signal: abort.signal, report });
    } catch (error) {
      if (!abort.signal.aborted) this.tell(error);
      return null;
    } finally {
      if (this.#abort === abort) this.waiting = this.#abort = null;
      this.draw();
    }
  }

  /** Give up what is under way. */
  cancel = () => {
    this.#abort?.abort();
    this.#abort = this.waiting = this.#wanted = null;
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

  /** Take the visitor's photos; the last is shown. */
  addPhotos = (files) =>
    this.#waitFor({ key: 'sending', values: { name: '' } }, async (options) => {
      const { last, trouble } = await bring(this, files, options, (name) => {
        this.waiting = { key: 'sending', values: { name } };
        this.draw();
      });
      if (last) {
        await this.#show(last);
        this.#history?.follow();
        this.element.querySelector('.av-where')?.scrollIntoView({ block: 'nearest' });
      }
      if (trouble) throw trouble;
    });

  /** Let go of one of the visitor's photos; if it is shown, the first example is. */
  removePhoto = async (photo) => {
    this.keep(this.mine.filter((other) => other.photo !== photo));
    if (this.trace.asked.photo === photo) await this.open({ photo: this.examples[0].photo });
    this.captures.forget(({ asked }) => asked.photo === photo);
    this.state.photos = this.state.photos.filter((other) => other !== photo);
    this.draw();
    await this.host.removePhoto(photo).catch(() => {}); // what the host no longer has is gone
  };

  /** Keep these as the visitor's photos, as many as there is room for. */
  keep(photos) {
    this.mine = photos.slice(0, MOST_KEPT);
    keepPhotos(this.mine);
  }

  /** Open weights of the visitor's own; whether that went well. */
  addNetwork = (own) =>
    this.#waitFor({ key: 'sending', values: { name: own.weights.name } }, async (options) => {
      const { network, assumed } = await this.host.addNetwork(
        { ...own, language: this.language },
        options,
      );
      this.networks = await this.host.networks(this.language);
      const trace = await this.captures.get({ ...this.#asked(), network: network.name }, options);
      await this.#withExamples(network.name, options);
      await this.#show(trace);
      this.#history?.follow();
      this.notice = assumed ? { said: assumed } : null;
      return true;
    });

  /** Save ``what``, 'screen', 'all', 'page', 'paper' or 'figure', of which ``more`` says more (see host.js). */
  save = (what, more = {}) =>
    this.#waitFor({ key: what === 'all' ? 'saving_all' : 'saving' }, async (options) => {
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
    this.#history?.write();
    this.tell(await this.host.link(addressOf(this)));
  };

  /** Delete all that the visitor brought, and begin anew. */
  forget = () =>
    this.#waitFor({ key: 'waiting' }, async () => {
      await this.host.forget();
      this.captures.forget();
      for (const one of Object.values(this.compared)) one.forget();
      this.keep([]);
      Object.assign(this.state, FORGOTTEN);
      const { view } = this.trace.asked;
      const opening = await this.host.start({ view, language: this.language });
      this.opening = opening;
      this.#offer(opening);
      await this.#show(await this.captures.open(opening.capture));
      this.#history?.follow();
      this.notice = { key: 'deleted' };
    });

  /** The traces that the one shown is compared with: its photo in other networks, its network with other photos; in a
   * file that holds several, those. */
  comparedTraces() {
    const { network, photo, view } = this.trace.asked;
    const isOther = ({ asked }) => asked.network !== network || asked.photo !== photo;
    const beside = this.#beside.map((request) => this.captures.peek(request)).filter(Boolean);
    if (beside.length) return this.captures.all().filter(isOther);
    const { networks, photos } = this.compared;
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
    return this.state.scale === 'shown' ? this.comparedTraces() : [];
  }

  /** Photos that can be compared: the visitor's own, and the examples, those of another network too that are chosen. */
  photos() {
    const photos = new Map([...this.mine, ...this.examples].map((photo) => [photo.photo, photo]));
    for (const name of [this.trace?.asked.photo, ...this.state.photos])
      if (name && !photos.has(name)) photos.set(name, { photo: name, name: nameFrom(name) });
    return [...photos.values()];
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
      this.#openComparison();
    }
    this.draw();
    this.#history?.follow();
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
    this.#history?.follow();
    const { network } = this.trace.asked;
    const [networks, examples] = await Promise.all([
      this.host.networks(this.language),
      this.#examplesOf.get(network, this.language),
    ]).catch(() => [this.networks, this.examples]);
    Object.assign(this, { networks, examples });
    this.draw();
  };

  #openComparison() {
    this.compared[this.state.tab]?.open();
  }

  draw() {
    const { state } = this;
    // With another photo or network nothing may be compared any more
    if (
      this.trace &&
      state.tab === 'explore' &&
      state.scale === 'shown' &&
      !this.comparedTraces().length
    )
      state.scale = 'fixed';
    render(h(Root, { viewer: this }), this.element);
    const { tag } = LANGUAGES[spokenLanguage(this.language)];
    // To set it, even to what it is, makes the browser style all again
    if (this.element.lang !== tag) this.element.lang = document.documentElement.lang = tag;
  }
}

/** The photos that this tab knows and the host still has, the newest first; those that only the host knows last. */
function stillThere(kept, there) {
  const names = new Set(there.map(({ photo }) => photo));
  const known = new Set(kept.map(({ photo }) => photo));
  return [
    ...kept.filter(({ photo }) => names.has(photo)),
    ...there.filter(({ photo }) => !known.has(photo)),
  ];
}

/** What a photo of which only the host's name is known is called. */
const nameFrom = (photo) => photo.split(/[:/]/).at(-1);

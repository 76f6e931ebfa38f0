// One capture in one element. Knows nothing of the page around it: what needs a network, or a server, is asked of ``host``.
import { barsPanel } from './bars.js';
import { channelPanel } from './channel.js';
import { networksPanel, photosPanel } from './compare.js';
import { choice, fill, forgetInks, h } from './dom.js';
import { guide, help } from './guide.js';
import { mapPanel } from './map.js';
import { mechanismPanel } from './mechanism.js';
import { digits, percent, summary, unpack, weightsOf } from './numbers.js';
import { strip } from './strip.js';

const OPENING = ['layer4.0', 'bam3']; // of the embedded networks' maps the ones that tell most at a glance
const START = {
  tab: 'explore',
  layer: null,
  channel: null,
  pin: null,
  opacity: 0.6,
  wipe: 0,
  colours: 'viridis',
  scale: 'fixed',
  smooth: false,
  grid: false,
  order: 'index',
  top: 5,
  networks: [],
  photos: [],
  block: 'last',
  a: null,
  b: null,
};
const PHOTOS_KEPT = 8;
let models = 0;

/**
 * Draw captures (see packing.py) into an element, and give back the viewer. ``host`` may have
 *   channel(model, layer, channel) -> {before, after}    features, as arrays
 *   capture(asked) -> capture, networks() -> [[name, title]], examples() -> [{photo, name}]     to compare
 *   save(what, viewer), cbam(), changed(viewer)          the bundle, another network, a link to keep
 */
export function mount(element, host = null, words = WORDS) {
  const viewer = {
    element,
    host,
    state: { ...START },
    language: 'en',
    model: null,
    session: [],
    say(key, values = {}) {
      const text = words[viewer.language]?.[key] ?? words.en[key] ?? key;
      return text.replace(/\{(\w+)\}/g, (whole, name) =>
        name in values ? String(values[name]) : whole,
      );
    },
    layer: () => viewer.model.layers.find((layer) => layer.name === viewer.state.layer) ?? null,
    dark: () =>
      Boolean(element.closest('.dark')) ||
      (!element.closest('.gradio-container') && matchMedia('(prefers-color-scheme: dark)').matches),
    /** What is compared with the capture that is shown: its photo in other networks, its network with other photos; in a file that holds several, those. */
    others() {
      if (!host) return viewer.session.filter((model) => model !== viewer.model);
      const { network, photo, view } = viewer.model.asked;
      return [
        ...comparing.networks
          .models()
          .filter(
            ({ asked }) =>
              asked.network !== network && asked.photo === photo && asked.view === view,
          ),
        ...comparing.photos
          .models()
          .filter(
            ({ asked }) =>
              asked.network === network && asked.photo !== photo && asked.view === view,
          ),
      ];
    },
    shown: () => (viewer.state.scale === 'shown' ? viewer.others() : []),
    told: (error) => (error?.told ? error.message : viewer.say('lost')),
    opened,
    set,
    draw,
    show,
    speak,
    forget,
    describe(layer) {
      const numbers = layer.weightNumbers ?? layer.numbers;
      return viewer.say(layer.map ? 'layer_alt' : 'layer_alt_no_map', {
        layer: layer.name,
        kind: layer.title,
        channels: layer.channels,
        height: layer.height,
        width: layer.width,
        least: digits(numbers.least),
        greatest: digits(numbers.greatest),
      });
    },
    describeMap(layer) {
      const best = Math.max(0, layer.map.values.indexOf(layer.numbers.greatest));
      return viewer.say('map_alt', {
        layer: layer.name,
        height: layer.height,
        width: layer.width,
        least: digits(layer.numbers.least),
        greatest: digits(layer.numbers.greatest),
        row: Math.floor(best / layer.width) + 1,
        column: (best % layer.width) + 1,
      });
    },
    /** Photos that can be compared: the examples, and what was looked at in this visit. */
    photos() {
      const seen = new Map((host?.examples?.() ?? []).map((each) => [each.photo, each]));
      for (const model of viewer.session)
        seen.set(model.asked.photo, { photo: model.asked.photo, name: model.photo.name });
      return [...seen.values()];
    },
  };

  const heading = h('div', { class: 'av-heading' });
  const says = h('div', { class: 'av-answers', 'data-guide': 'says' });
  const tabs = h('div', { class: 'av-tabs', role: 'tablist' });
  const tools = h('div', { class: 'av-tools' });
  const saved = h('p', { class: 'av-note', role: 'status' });
  const explore = h('div', { class: 'av-explore' });
  const dialog = help(viewer);
  const tour = guide(viewer);
  const parts = [
    strip(viewer),
    mapPanel(viewer),
    barsPanel(viewer),
    channelPanel(viewer),
    mechanismPanel(viewer),
  ];
  const comparing = { networks: networksPanel(viewer), photos: photosPanel(viewer) };
  viewer.guide = tour;
  viewer.help = dialog;
  explore.append(
    parts[0].element,
    h(
      'div',
      { class: 'av-columns' },
      parts[1].element,
      h('div', { class: 'av-column' }, parts[2].element, parts[3].element),
    ),
    parts[4].element,
  );
  element.classList.add('attnviz');
  element.replaceChildren(
    h('div', { class: 'av-top' }, heading, says),
    h('div', { class: 'av-bar-row' }, tabs, tools),
    saved,
    explore,
    comparing.networks.element,
    comparing.photos.element,
    tour.element,
    dialog.element,
  );

  async function opened(capture) {
    const image = new Image();
    image.src = capture.photo.picture;
    const [model] = await Promise.all([unpack(capture), image.decode()]);
    Object.assign(model, { image, thumbnail: shrunk(image) });
    model.id = ++models;
    for (const layer of model.layers) {
      layer.numbers = summary(layer.map?.values ?? [], layer.kind);
      const weights = weightsOf(layer);
      layer.weightNumbers = weights && summary(weights, layer.kind);
    }
    return model;
  }

  /** The photo at the size of thumbnails, which are many. */
  function shrunk(image) {
    const canvas = document.createElement('canvas');
    const ratio = Math.min(1, 200 / image.naturalWidth);
    canvas.width = Math.max(1, Math.round(image.naturalWidth * ratio));
    canvas.height = Math.max(1, Math.round(image.naturalHeight * ratio));
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  /** Show a capture; the layer stays if the network has it, or one of its stage. Of several, the first, the others to be chosen beside it. */
  async function show(captures, state = {}) {
    const models = await Promise.all([captures].flat().map(opened));
    const [model] = models;
    const before = viewer.model && viewer.layer();
    viewer.model = model;
    const same = (other) => other.asked.photo === model.asked.photo;
    viewer.session = host
      ? [...viewer.session.filter((other) => !same(other)), model].slice(-PHOTOS_KEPT)
      : models;
    const wanted = state.layer ?? viewer.state.layer;
    const has = (name) => model.layers.find((layer) => layer.name === name);
    const layer =
      has(wanted) ??
      model.layers.find((each) => each.stage && each.stage === before?.stage) ??
      model.layers.find((each) => OPENING.includes(each.name)) ??
      model.layers.findLast((each) => each.map) ??
      model.layers.at(-1);
    const channel = state.channel ?? (layer?.name === before?.name ? viewer.state.channel : null);
    const count = layer ? (weightsOf(layer)?.length ?? 0) : 0;
    Object.assign(viewer.state, state, {
      layer: layer?.name ?? null,
      channel: channel !== null && channel < count ? channel : null,
      pin: fits(viewer.state.pin, layer),
    });
    if (!viewer.state.networks.length)
      viewer.state.networks = (host?.networks?.() ?? []).slice(0, 4).map(([name]) => name);
    if (!viewer.state.photos.length)
      viewer.state.photos = viewer
        .photos()
        .slice(0, 3)
        .map(({ photo }) => photo);
    if (!viewer.state.photos.includes(model.asked.photo))
      viewer.state.photos = [model.asked.photo, ...viewer.state.photos].slice(0, 8);
    if (viewer.state.tab !== 'explore') comparing[viewer.state.tab].open();
    draw();
    element.dataset.drawn = String(model.id);
    return viewer;
  }

  /** Let go of every capture and of all features: the visitor's photos were deleted. */
  function forget() {
    viewer.session = [];
    Object.assign(viewer.state, {
      networks: [],
      photos: [],
      channel: null,
      pin: null,
      a: null,
      b: null,
      tab: 'explore',
    });
    for (const panel of [parts[3], comparing.networks, comparing.photos]) panel.forget();
  }

  const fits = (pin, layer) =>
    pin && layer?.map && pin[0] < layer.height && pin[1] < layer.width ? pin : null;

  function set(changes) {
    const { state } = viewer;
    const old = { ...state };
    Object.assign(state, changes);
    if (changes.layer && changes.layer !== old.layer) {
      state.pin = fits(state.pin, viewer.layer());
      state.channel = changes.channel ?? null; // another layer's channel of that number is another one
    }
    if (changes.tab && changes.tab !== old.tab && changes.tab !== 'explore')
      comparing[changes.tab].open();
    draw();
    host?.changed?.(viewer);
  }

  function draw() {
    if (!viewer.model) return;
    const { state } = viewer;
    if (viewer.dark() !== darkened) {
      darkened = viewer.dark();
      forgetInks();
    }
    if (state.tab === 'explore' && state.scale === 'shown' && !viewer.others().length)
      state.scale = 'fixed'; // another photo or network: nothing is compared with it
    drawTop();
    drawNote();
    explore.hidden = state.tab !== 'explore';
    comparing.networks.element.hidden = state.tab !== 'networks';
    comparing.photos.element.hidden = state.tab !== 'photos';
    if (state.tab === 'explore') for (const part of parts) part.draw();
    else comparing[state.tab].draw();
    tour.draw();
    const lang = viewer.language === 'zh' ? 'zh-CN' : 'en';
    if (element.lang !== lang) element.lang = document.documentElement.lang = lang; // to set it, even to what it is, makes the browser style all again
  }

  let topped = '';
  let darkened = null;
  let note = null;
  function drawTop() {
    const { say, state, model } = viewer;
    const key = [model.id, viewer.language, state.tab].join();
    if (topped === key) return;
    topped = key;
    const [height, width] = model.seen.size;
    fill(
      heading,
      h(
        'h2',
        {},
        model.asked.example ? say('example', { photo: model.photo.name }) : model.photo.name,
      ),
      h(
        'p',
        { class: 'av-note' },
        say(model.seen.whole ? 'sees_whole' : 'sees_crop', {
          network: model.network.title,
          width,
          height,
        }),
        model.seen.forced ? ` ${say('sees_forced')}` : '',
        model.asked.example && host ? ` ${say('drop')}` : '',
      ),
      h('p', { class: 'av-note' }, knows()),
    );
    fill(
      says,
      h('h3', {}, say('says')),
      h(
        'ol',
        { class: 'av-top5' },
        model.top.map(([label, share]) =>
          h(
            'li',
            {},
            h('span', { class: 'av-share', style: { width: percent(share, 1) } }),
            h('span', { class: 'av-label' }, label),
            h('span', { class: 'av-number' }, percent(share, 1)),
          ),
        ),
      ),
    );
    const names = host?.capture ? ['explore', 'networks', 'photos'] : ['explore'];
    fill(
      tabs,
      names.length > 1 &&
        names.map((name) =>
          h(
            'button',
            {
              type: 'button',
              role: 'tab',
              class: 'av-tab',
              'aria-selected': String(state.tab === name),
              tabindex: state.tab === name ? 0 : -1,
              'data-control': `tab-${name}`,
              on: {
                click: () => set({ tab: name }),
                keydown: (event) => {
                  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
                  if (!step) return;
                  set({ tab: names[(names.indexOf(name) + step + names.length) % names.length] });
                  tabs.querySelector('[aria-selected=true]').focus();
                },
              },
            },
            say(`tab_${name}`),
          ),
        ),
    );
    const button = (text, pressed, properties = {}) =>
      h(
        'button',
        { type: 'button', class: 'av-button', ...properties, on: { click: pressed } },
        text,
      );
    fill(
      tools,
      !host &&
        viewer.session.length > 1 &&
        choice(
          say('photo'),
          viewer.session.map((each) => [
            String(each.id),
            `${each.photo.name} · ${each.network.title}`,
          ]),
          String(model.id),
          (id) => {
            viewer.model = viewer.session.find((each) => String(each.id) === id);
            set({
              layer: viewer.layer()?.name ?? viewer.model.layers.at(-1)?.name ?? null,
              channel: null,
              pin: null,
            });
          },
          { 'data-control': 'capture' },
        ),
      host?.save &&
        button(say('save_screen'), (event) => saving(event.target, 'screen'), {
          'data-save': 'screen',
        }),
      host?.save &&
        button(say('save_all'), (event) => saving(event.target, 'all'), { 'data-save': 'all' }),
      host?.link &&
        button(
          say('link'),
          async () => {
            tell({ key: (await host.link(viewer)) ? 'link_copied' : 'link_here' });
          },
          { 'data-link': '' },
        ),
      button(say('guide'), () => tour.start()),
      button(say('help'), () => dialog.open()),
      !host &&
        button(viewer.language === 'zh' ? 'English' : '中文', () =>
          speak(viewer.language === 'zh' ? 'en' : 'zh'),
        ),
    );
  }

  function knows() {
    const {
      say,
      model: { network },
    } = viewer;
    if (!network.classes) return '';
    const right = network.accuracy
      ? ` ${say('knows_right', { share: percent(network.accuracy, 1) })}`
      : '';
    return (
      say(
        network.labels.length
          ? 'knows_these'
          : network.classes === 1000
            ? 'knows_imagenet'
            : 'knows',
        { count: network.classes, labels: network.labels.join(', ') },
      ) + right
    );
  }

  async function saving(button, what) {
    button.disabled = true;
    tell({ key: 'saving' });
    try {
      await host.save(what, viewer);
      tell({ key: 'saved' });
    } catch (error) {
      tell(error?.told ? { text: error.message } : { key: 'lost' });
    }
    button.disabled = false;
  }

  /** Say something about this view: {key}, which follows the language, or {text}, which can't. */
  function tell(words) {
    note = { ...words, about: viewOf(), language: viewer.language };
    drawNote();
  }

  const viewOf = () => [viewer.state.tab, viewer.model.id].join();

  function drawNote() {
    if (note && (note.about !== viewOf() || (note.text && note.language !== viewer.language)))
      note = null;
    const text = note ? (note.text ?? viewer.say(note.key)) : '';
    if (saved.textContent !== text) saved.textContent = text; // it is read out whenever it is set
  }

  function speak(language) {
    viewer.language = language === 'zh' ? 'zh' : 'en';
    if (viewer.state.tab !== 'explore') comparing[viewer.state.tab].open(); // what the server said in the other language is asked for again
    draw();
    host?.changed?.(viewer);
  }

  new MutationObserver(() => draw()).observe(document.body, {
    attributes: true,
    attributeFilter: ['class'],
  }); // light to dark and back
  return viewer;
}

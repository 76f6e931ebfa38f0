// The viewer in a Gradio page: captures come as the component's value, questions go to its server functions.
import { unpackFeatures } from './numbers.js';
import { mount } from './viewer.js';

const LINKED = [
  'network',
  'photo',
  'view',
  'layer',
  'channel',
  'tab',
  'networks',
  'block',
  'photos',
  'a',
  'b',
  'lang',
];
const YOURS = 'yours:';
const EXAMPLE = 'example:';

export function attach(element, props, server, watch, cbam, chinese) {
  const root = element.querySelector('.av-root');
  let context = {};
  let timer = 0;

  async function ask(question, data) {
    let answer;
    try {
      answer = await question({ ...data, language: viewer.language });
    } catch {
      throw new Error();
    }
    if (!answer || answer.error)
      throw Object.assign(new Error(answer?.error ?? ''), { told: Boolean(answer?.error) });
    return answer;
  }

  const host = {
    channel: async (model, layer, channel) =>
      unpackFeatures(await ask(server.channel, { ...model.asked, layer, channel })),
    capture: (asked) => ask(server.capture, asked),
    networks: () => context.networks ?? [],
    examples: () => context.examples ?? [],
    cbam,
    async save(what, viewer) {
      const { state, model } = viewer;
      const { layer, channel, tab, block, a, b } = state;
      const beside = tab === 'explore' ? viewer.shown().map(({ asked }) => asked) : [];
      const compared = {
        networks: state.networks.map((network) => ({ ...model.asked, network })),
        photos: state.photos.map((photo) => ({ ...model.asked, photo })),
      }[state.tab] ?? [model.asked];
      const look = {
        opacity: state.opacity,
        colormap: state.colours,
        scale: state.scale,
        smooth: state.smooth,
        order: state.order,
      };
      const { url } = await ask(server.save, {
        what,
        tab,
        block,
        layer,
        channel,
        a,
        b,
        shown: compared,
        beside,
        look,
      });
      const link = document.createElement('a');
      link.href = new URL(
        url,
        document.baseURI.endsWith('/') ? document.baseURI : `${document.baseURI}/`,
      ).href;
      link.download = '';
      link.click();
    },
    async link(viewer) {
      const address = linked(viewer);
      history.replaceState(history.state, '', address);
      try {
        await navigator.clipboard.writeText(address);
        return true;
      } catch {
        return false;
      }
    },
    changed(viewer) {
      // the address bar follows, a moment later
      clearTimeout(timer);
      timer = setTimeout(() => history.replaceState(history.state, '', linked(viewer)), 300);
    },
  };

  /** The address that brings this view back: names of ours only, never a photo or a checkpoint of the visitor's, whose name is the key to it. */
  function linked({ state, model, language }) {
    const url = new URL(location.href);
    const networks = state.networks.filter((name) => !name.startsWith(YOURS));
    const examples = (list) =>
      list.filter((name) => name?.startsWith(EXAMPLE)).map((name) => name.slice(EXAMPLE.length));
    for (const name of LINKED) url.searchParams.delete(name);
    const put = (name, value) => {
      if (value !== null && value !== undefined && value !== '') url.searchParams.set(name, value);
    };
    if (!model.asked.network.startsWith(YOURS)) put('network', model.asked.network);
    if (model.asked.example) put('photo', model.asked.photo.slice(EXAMPLE.length));
    if (model.asked.view !== 'whole') put('view', model.asked.view);
    put('layer', state.layer);
    put('channel', state.channel);
    if (state.tab !== 'explore') put('tab', state.tab);
    if (state.tab === 'networks') {
      put('networks', networks.join(','));
      put('block', state.block === 'first' ? 'first' : null);
    }
    if (state.tab === 'photos') {
      put('photos', examples(state.photos).join(','));
      put('a', examples([state.a])[0]);
      put('b', examples([state.b])[0]);
    }
    put('lang', language);
    return url.href;
  }

  const viewer = mount(root, host);
  window.attnviz.viewer = viewer; // for the page's own buttons
  let queue = Promise.resolve();
  let first = true;
  const show = () => {
    if (!props.value) return;
    const value = JSON.parse(props.value);
    queue = queue.then(async () => {
      context = value;
      if (value.language) viewer.language = value.language;
      if (value.forget) viewer.forget();
      await viewer.show(value.capture, first ? (value.state ?? {}) : {});
      if (first && viewer.language === 'zh') chinese();
      if (first) viewer.guide.first();
      else host.changed(viewer);
      first = false;
    });
  };
  watch('value', show);
  show();
}

// The viewer in a Gradio page: captures come as the component's value, questions go to its server functions.
import { unpackFeatures } from './decoding.js';
import { ENGLISH } from './languages.js';
import { linkTo } from './link.js';
import { uploadBox } from './upload_box.js';
import { mount } from './viewer.js';

const ADDRESS_DELAY = 300; // ms, until the address bar follows

/** Mount the viewer in a Gradio component: its ``element``, ``props`` with a value, functions of the ``server``, and
 * ``watch`` for other values; ``cbam`` and ``speak`` ask the page for another network, or for the viewer's language. */
export function attach(element, props, server, watch, cbam, speak) {
  const page = { networks: [], examples: [] }; // what can be compared
  const root = element.querySelector('.av-root');
  const viewer = mount(
    root,
    gradioHost(page, server, cbam, () => viewer.language),
  );
  window.attnviz.viewer = viewer; // for the page's own buttons
  const box = uploadBox();
  let queue = Promise.resolve();
  let isFirst = true;

  async function show(value) {
    page.networks = value.networks ?? [];
    page.examples = value.examples ?? [];
    if (value.language) viewer.language = value.language;
    if (value.forget) viewer.forget();
    await viewer.show(value.capture, isFirst ? (value.state ?? {}) : {});
    box.show(value.capture);
    if (isFirst && viewer.language !== ENGLISH) speak(); // the page comes in English
    if (isFirst) viewer.guide.startOnce();
    else viewer.host.changed(viewer);
    isFirst = false;
  }

  /** Show the component's value, after those that came before. */
  function follow() {
    if (!props.value) return;
    const value = JSON.parse(props.value);
    queue = queue.then(() => show(value));
  }

  watch('value', follow);
  follow();
}

/** What the viewer may ask for, see ``mount``, answered by the server and the browser. */
function gradioHost(page, server, cbam, language) {
  let timer = 0;
  const ask = (question, request) => answerOf(question, { ...request, language: language() });
  return {
    cbam,
    networks: () => page.networks,
    examples: () => page.examples,
    capture: (request) => ask(server.capture, request),
    async channel(trace, layer, channel) {
      return unpackFeatures(await ask(server.channel, { ...trace.asked, layer, channel }));
    },
    async save(what, viewer) {
      const { url } = await ask(server.save, { what, ...saveRequest(viewer) });
      download(url);
    },
    async link(viewer) {
      const address = linkTo(viewer);
      history.replaceState(history.state, '', address);
      try {
        await navigator.clipboard.writeText(address);
        return { key: 'link_copied' };
      } catch {
        if (window.top === window) return { key: 'link_here' };
        return { key: 'link_in_frame', values: { address } }; // whose address no bar shows
      }
    },
    changed(viewer) {
      clearTimeout(timer);
      const update = () => history.replaceState(history.state, '', linkTo(viewer));
      timer = setTimeout(update, ADDRESS_DELAY);
    },
  };
}

/** The answer of a server function. Throws an error whose message, if it is ``told``, is the server's sentence. */
async function answerOf(question, request) {
  let answer;
  try {
    answer = await question(request);
  } catch {
    throw new Error();
  }
  if (answer && !answer.error) return answer;
  throw Object.assign(new Error(answer?.error ?? ''), { told: Boolean(answer?.error) });
}

/** What of the view is to be saved, for the server. */
function saveRequest(viewer) {
  const { state, trace } = viewer;
  const { tab, block, layer, channel, a, b, opacity, colours, scale, smooth, order } = state;
  const shown = {
    explore: [trace.asked],
    networks: state.networks.map((network) => ({ ...trace.asked, network })),
    photos: state.photos.map((photo) => ({ ...trace.asked, photo })),
  }[tab];
  const beside = tab === 'explore' ? viewer.scaleTraces().map(({ asked }) => asked) : [];
  const look = { opacity, colormap: colours, scale, smooth, order };
  return { tab, block, layer, channel, a, b, shown, beside, look };
}

function download(url) {
  const base = document.baseURI.endsWith('/') ? document.baseURI : `${document.baseURI}/`;
  const link = document.createElement('a');
  link.href = new URL(url, base).href;
  link.download = '';
  link.click();
}

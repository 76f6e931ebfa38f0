// The host of a served page: the functions of a Gradio component on the server answer, its upload route takes files.
import { preferredLanguage } from '../app/languages.js';
import { mount } from '../app/viewer.js';
import { unpackFeatures, unpackGallery } from '../numbers/decoding.js';
import { HostError } from './host.js';
import { copied } from './links.js';
import { received } from './receiving.js';

const VISITOR = 'attnviz-visitor'; // in the tab's storage: the name by which the server knows who asks
const ELEMENT = 'viewer'; // the component's name in the page
const LOOK_AGAIN = 400; // ms, between two looks at how far a download is
const ANY_PICTURE = 'image/x-unknown'; // the type of a file of which the browser knows none

/** Show the app in an element. ``component`` is the number of the component that answers; ``networks``, whether this
 * server opens visitors' own: both as text. */
export function servedPage(element, { component, networks }) {
  const { searchParams } = new URL(location.href);
  const viewer = mount(element, gradioHost(Number(component), Boolean(networks)), {
    hasAddress: true,
    language: preferredLanguage(navigator.language),
    theme: searchParams.get('__theme'),
  });
  window.attnviz.viewer = viewer;
  viewer.start();
}

/** The host, see host.js. */
function gradioHost(component, takesNetworks) {
  const visitor = visitorName();
  const ask = question(component, visitor);
  return {
    start: (wanted, options) => ask('start', wanted, options),
    networks: async (language) => (await ask('networks', { language })).networks,
    examples: async (network, language) => (await ask('examples', { network, language })).examples,
    capture: (request, options = {}) =>
      reporting(
        () => ask('capture', request, options),
        () => ask('progress', { network: request.network }),
        options.report,
      ),
    edits: ['usual', 'off', 'set', 'patch'],
    stairs: (request, asked, options) => inSight(ask, 'stairs', { ...request, ...asked }, options),
    together: 4,
    captures: async (requests, { signal } = {}) =>
      (await ask('captures', { requests }, { signal })).captures.map(captureOrError),
    features: async (request, options) => unpackFeatures(await ask('channel', request, options)),
    gallery: async (request, { signal, report } = {}) =>
      unpackGallery(await ask('gallery', request, { signal, received: report })),
    addPhoto: async (file, options) =>
      ask('add_photo', { upload: await uploaded(calledPicture(file), options) }, options),
    removePhoto: (photo) => ask('remove_photo', { photo }),
    addNetwork: takesNetworks ? ownNetwork(ask) : undefined,
    save: (selection, options) => saved(ask, selection, options),
    link: copied,
    forget: () => ask('forget', {}),
  };
}

const captureOrError = (answer) => (answer.error ? new HostError(answer.error) : answer);

/** The file of what is saved. */
async function saved(ask, selection, options) {
  const { url } = await inSight(ask, 'save', selection, options);
  return { address: here(url), name: decodeURIComponent(url.split('/').at(-1)) };
}

/** The answer to what takes long, and says how far it is; if it is given up, the server is told. */
async function inSight(ask, name, data, { signal, report } = {}) {
  const saving = freshName();
  const giveUp = () => ask('give_up', { saving }).catch(() => {}); // what is over can't be given up
  signal?.addEventListener('abort', giveUp);
  try {
    return await reporting(
      () => ask(name, { ...data, saving }, { signal }),
      () => ask('progress', { saving }),
      report,
    );
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

/** What opens weights of the visitor's own. */
function ownNetwork(ask) {
  return async ({ weights, labels, told }, options) => {
    const upload = await uploaded(weights, options);
    const names = labels && (await uploaded(labels, { signal: options?.signal }));
    return ask('add_network', { upload, labels: names, told }, options);
  };
}

/** This tab's name for the server, which a reload does not change. Only the server and this tab know it. */
function visitorName() {
  const fresh = freshName();
  try {
    const name = sessionStorage.getItem(VISITOR) ?? fresh;
    sessionStorage.setItem(VISITOR, name);
    return name;
  } catch {
    return fresh; // a frame that may keep nothing
  }
}

/** A name that nobody else has. */
const freshName = () =>
  crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4))).join('-');

/** Asks functions of the server: (name, data, options) -> answer; ``options.received`` is told how much of it is here. Throws a HostError with what the server, or its guard,
 * says. A server that was started anew may know the component by another number, which its configuration tells. */
function question(component, visitor) {
  let number = component;

  async function answerTo(name, data, { signal, received }) {
    const body = { component_id: number, fn_name: name, session_hash: visitor, data };
    const response = await sent('gradio_api/component_server', JSON.stringify(body), signal);
    return { response, answer: await jsonOf(response, received).catch(() => null) };
  }

  return async (name, data, options = {}) => {
    let { response, answer } = await answerTo(name, data, options);
    if (response.status === 500) {
      const before = number;
      number = await numberNow(before);
      if (number !== before) ({ response, answer } = await answerTo(name, data, options));
    }
    options.signal?.throwIfAborted();
    if (response.ok && answer && !answer.error) return answer;
    throw new HostError(answer?.error ?? textOf(answer?.detail));
  };
}

/** What a response says; ``report`` is told how much of it is here, if its length is known. */
async function jsonOf(response, report) {
  const total = Number(response.headers.get('content-length'));
  if (!report || !total) return response.json();
  const bytes = await received(response.body, (done) => report({ done, total }));
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** The number by which the server knows the component now; the one from before if it does not say. */
async function numberNow(before) {
  try {
    const { components } = await (await fetch(here('config'))).json();
    return components.find(({ props }) => props.elem_id === ELEMENT)?.id ?? before;
  } catch {
    return before;
  }
}

async function uploaded(file, { signal, report } = {}) {
  report?.({ done: 0, total: file.size });
  const form = new FormData();
  form.append('files', file);
  const response = await sent('gradio_api/upload', form, signal);
  const answer = await response.json().catch(() => null);
  if (response.ok && answer?.[0]) return answer[0];
  throw new HostError(textOf(answer?.detail));
}

async function sent(path, body, signal) {
  const headers = typeof body === 'string' ? { 'content-type': 'application/json' } : {};
  try {
    return await fetch(here(path), { method: 'POST', body, headers, signal });
  } catch {
    signal?.throwIfAborted();
    throw new HostError();
  }
}

/** Wait for an answer, and meanwhile report how far the server is. */
async function reporting(answer, progress, report) {
  if (!report) return answer();
  let isOver = false;
  const look = async () => {
    if (isOver) return;
    const far = await progress().catch(() => null);
    if (isOver) return;
    if (far) report(far);
    setTimeout(look, LOOK_AGAIN);
  };
  const timer = setTimeout(look, LOOK_AGAIN);
  try {
    return await answer();
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}

/** The file with a type of pictures: Gradio's route looks at types, and browsers know few. */
function calledPicture(file) {
  if (file.type.startsWith('image/')) return file;
  return new File([file], file.name || 'photo', {
    type: ANY_PICTURE,
    lastModified: file.lastModified,
  });
}

/** An address of this server, below which path it may ever be. */
function here(path) {
  const base = document.baseURI.endsWith('/') ? document.baseURI : `${document.baseURI}/`;
  return new URL(path, base).href;
}

const textOf = (detail) => (typeof detail === 'string' ? detail : null);

// The host of a page without a server: a worker beside it computes, and nothing that is brought leaves the browser.
import { filled, preferredLanguage, textIn } from '../app/languages.js';
import { mount } from '../app/viewer.js';
import { Fault } from '../engine/fault.js';
import { withNames } from '../files/changed.js';
import { LiveCamera } from '../live/panel.js';
import { sumOf } from '../offline/sums.js';
import { asksUsual, EDITS, patchesIn, remarksOn } from './changing.js';
import { textOf } from './files.js';
import { FrameWorkers } from './frames.js';
import { HostError } from './host.js';
import { copied } from './links.js';
import { SiteNetworks } from './networks.js';
import { SitePhotos } from './photos.js';
import { SAVES, savedFile } from './saving.js';
import { stairsOf } from './stairs.js';
import { startWorker } from './worker.js';

const FRAMES_AT_ONCE = 2; // of a camera, as benchmarks/camera.py measured

/** Show the app in an element; ``site`` is what viewer/site writes of it: its networks, its examples, its language. */
export function sitePage(element, site) {
  const viewer = mount(element, siteHost(site), {
    hasAddress: !site.isOneFile,
    language: site.language ?? preferredLanguage(navigator.language),
    LiveCamera,
  });
  viewer.start().then(() => site.offline && keepOffline(site.offline));
  return viewer;
}

/** Have the page served where there is no network too, from the next visit on, by the service worker of this name. */
function keepOffline(script) {
  navigator.serviceWorker?.register(script).catch(() => {}); // where browsers keep nothing it works all the same
}

/** The host, see host.js. */
export function siteHost(site) {
  const worker = startWorker(site);
  worker.catch(() => {}); // who asks is told
  const ask = async (...question) => (await worker).ask(...question);
  const networks = new SiteNetworks(site.networks, ask);
  const photos = new SitePhotos(site.examples, ask);
  const frames = new FrameWorkers(site);
  const inTurn = queue();

  /** Throws an error of a request, which names its network. */
  const named = (request) => (error) => {
    throw about(error, networks.find(request.network));
  };

  /** Do something in the worker with a request's network and photo, and with what its edits take, which are there then. */
  const withAll = (request, options, action) =>
    inTurn(options?.signal, async () => {
      const { network, photo, edits } = request;
      await all([networks.open(network, options), photos.open(photo, options)]);
      for (const other of patchesIn(edits)) {
        if (!photos.find(other)) throw new Fault('fault_patch_gone');
        await photos.open(other, options);
      }
      if (asksUsual(edits)) await networks.openUsual(network, options);
      return action();
    }).catch(named(request));

  const nameOf = (photo) => photos.find(photo).name;

  async function capture(request, options) {
    const { notes, ...made } = await withAll(request, options, () => ask('capture', request));
    const { name, isExample, picture, remark } = photos.find(request.photo);
    return {
      ...made,
      ...(made.change && {
        change: { ...made.change, edits: withNames(made.change.edits, nameOf) },
      }),
      asked: { ...made.asked, example: isExample },
      photo: { ...made.photo, name, picture },
      remarks: [
        ...(remark ? [said('remark_depth', { name, ...remark })] : []),
        ...(notes ? changeRemarks(made, notes) : []),
      ],
    };
  }

  function changeRemarks({ asked: { network }, change }, notes) {
    const { usual } = networks.find(network);
    const remarks = remarksOn(change.edits, notes, {
      name: network,
      photos: usual?.photos,
      nameOf,
    });
    return remarks.map(([key, values]) =>
      byLanguage((code) => filled(site.remarks[code][key], values)),
    );
  }

  async function stairs(request, { how }, options) {
    const { labels } = networks.find(request.network);
    const answer = (edits) => {
      const changed = { ...request, edits };
      return withAll(changed, options, () => ask('answer', changed));
    };
    return stairsOf({ how, labels, answer, report: options?.report });
  }

  async function start({ photo, network, view = 'whole', language }, options) {
    const wanted = networks.find(network) ?? networks.find(site.first);
    const examples = networks.examplesOf(wanted.name);
    const isHere = Boolean(photos.find(photo));
    const shown = isHere ? photo : examples[0].photo;
    return {
      capture: await capture({ photo: shown, network: wanted.name, view }, options),
      networks: networks.offered(),
      examples: photos.described(examples, language),
      mine: photos.mine(),
      trouble:
        photo && !isHere && !photo.startsWith('example:') ? said('fault_photo_gone') : undefined,
      note: network && wanted.name !== network ? noteOn(network, wanted) : undefined,
      frames: !site.isOneFile,
    };
  }

  const texts = async () => JSON.parse(await textOf(site.saving));

  /** What saving takes. */
  const calls = {
    capture,
    texts,
    photoOf: async (photo) => ({
      picture: await photos.pictureOf(photo),
      credit: photos.find(photo).credit,
    }),
    async pageParts() {
      const [style, script] = await Promise.all([site.style, site.script].map(textOf));
      return { template: (await texts()).page, style, script };
    },
    features: (request) => withAll(request, {}, () => ask('features', request)),
    about: (name) => networks.find(name),
    async photoFile(request) {
      const { rgb, blob, ...size } = await withAll(request, {}, () => ask('photoFile', request));
      const png = new Uint8Array(await blob.arrayBuffer());
      return { ...size, name: nameOf(request.photo), png, sha256: await sumOf(rgb) };
    },
  };

  return inWords({
    isAlone: true,
    start,
    capture,
    networks: async () => networks.offered(),
    examples: async (network, language) => photos.described(networks.examplesOf(network), language),
    edits: EDITS,
    stairs,
    features: (request, options) => withAll(request, options, () => ask('features', request)),
    gallery: (request, options) => withAll(request, options, () => ask('gallery', request)),
    framesAtOnce: FRAMES_AT_ONCE,
    frame: (frame, options) => frames.trace(frame, options).catch(named(frame)),
    endFrames: () => frames.end(),
    addPhoto: (file) => photos.add(file),
    removePhoto: (photo) => photos.remove(photo),
    saves: SAVES,
    save: (selection, options) => savedFile(selection, calls, options),
    link: site.isOneFile ? undefined : copied,
    forget: () => photos.forget(),
  });
}

const noteOn = (name, { title }) => said('note_unknown', { name: name.slice(0, 80), shown: title });

/** The same error, which names its network. */
const about = (error, network) =>
  error instanceof Fault ? new Fault(error.key, { title: network?.title, ...error.values }) : error;

/** Wait for all, also if one fails, and then throw why. */
async function all(promises) {
  const failed = (await Promise.allSettled(promises)).find(({ reason }) => reason);
  if (failed) throw failed.reason;
}

/** A sentence by language. */
const said = (key, values) => byLanguage((code) => textIn(code, key, values));

const byLanguage = (say) =>
  Object.fromEntries(Object.keys(LANGUAGES).map((code) => [code, say(code)]));

/** Things to do one after another: (signal, action) -> what the action gives. What was given up before its turn is not done. */
function queue() {
  let last = Promise.resolve();
  return (signal, action) => {
    const turn = last.then(() => {
      signal?.throwIfAborted();
      return action();
    });
    last = turn.catch(() => {});
    return turn;
  };
}

/** The same host, whose Faults are HostErrors with a sentence in each language. */
function inWords(host) {
  const spoken = ([name, call]) => {
    if (typeof call !== 'function') return [name, call];
    return [name, (...given) => Promise.resolve(call(...given)).catch(inSentence)];
  };
  return Object.fromEntries(Object.entries(host).map(spoken));
}

function inSentence(error) {
  throw error instanceof Fault ? new HostError(said(error.key, error.values)) : error;
}

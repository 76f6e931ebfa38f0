// Beside a page without a server: a worker that holds networks and photos, runs passes, and answers the page's host
// (host/alone.js), one question after another.
import { Fault } from '../engine/fault.js';
import { Memory } from '../engine/memory.js';
import { Network } from '../engine/network.js';
import { readWeights } from '../engine/safetensors.js';
import { checkCount } from '../engine/weights.js';
import { deepParts, deepPicture } from '../pixels/deep_png.js';
import { networkInput } from '../pixels/input.js';
import { shrunk } from '../pixels/shrinking.js';
import { regionOf } from '../pixels/geometry.js';
import { captureOf } from './capture.js';
import { changeOf, isChanged, resolved } from './changing.js';
import { galleryOf } from './gallery.js';
import { isSmall, smallCopy, takenPhoto, wholePicture } from './photos.js';
import { Recent } from './recent.js';

const PASSES = 16; // of networks as they are, that are kept for what is changed of them
const NOTHING = []; // is handed over with an answer: all of it is copied

/** Answer what is asked by messages {id, question, asked} with {id, answer}, or with {id, fault: {key, values}}. */
export function answerMessages(scope) {
  const holdings = new Holdings();
  let turn = Promise.resolve();
  scope.addEventListener('message', ({ data }) => {
    turn = turn.then(async () => scope.postMessage(await answered(holdings, data), NOTHING));
  });
}

async function answered(holdings, { id, question, asked }) {
  try {
    return { id, answer: await holdings[question](asked) };
  } catch (error) {
    return { id, fault: { key: keyOf(error), values: error.values ?? {} } };
  }
}

/** A Fault tells its key; a RangeError, that there is no more memory; anything else is ours. */
function keyOf(error) {
  if (error.key) return error.key;
  console.error(error);
  return error instanceof RangeError ? 'fault_out_of_memory' : 'fault_unexpected';
}

/** The networks and photos that are here, by name, and what can be asked of them. */
class Holdings {
  #code; // of the engine, a WebAssembly.Module
  #networks = new Map(); // name -> {network, about, usual}
  #photos = new Map();
  #features = null; // of the layer that was asked for last: {key, before, after}
  #passes = new Recent(PASSES); // of networks as they are

  /** The bytes of engine.wasm are here. */
  async start({ bytes }) {
    this.#code = await WebAssembly.compile(bytes);
  }

  /** Open a network; ``about`` is what the site says of it, ``bytes`` its weights. */
  async openNetwork({ name, about, bytes }) {
    const memory = await Memory.open(this.#code);
    const weights = readWeights(bytes);
    const network = new Network(memory, about.architecture, weights);
    if (about.labels.length) checkCount(weights.get('fc.weight').shape[0], about.labels.length);
    this.#networks.set(name, { network, about, usual: null });
  }

  /** Take what is usual for a network's gates, a file like one of weights. */
  putUsual({ name, bytes }) {
    this.#networks.get(name).usual = readWeights(bytes);
  }

  closeNetwork({ name }) {
    this.#networks.delete(name);
    this.#forgetPasses();
  }

  /** Take a photo, an ImageBitmap to be turned by EXIF's ``orientation``. Gives a small copy of it, a JPEG; none of a photo whose
   * file can be shown, if it is small. */
  addPhoto({ name, bitmap, orientation, canBeShown }) {
    const photo = takenPhoto(bitmap, orientation);
    this.#photos.set(name, photo);
    return canBeShown && isSmall(photo) ? {} : smallCopy(photo);
  }

  /** Take a photo of 16 bits a sample, by the bytes of its file. Gives a small copy, and a ``remark`` on its depth. */
  async addDeepPhoto({ name, bytes, file }) {
    const { picture, remark } = await deepPicture(deepParts(bytes), file);
    const photo = shrunk(picture);
    this.#photos.set(name, photo);
    return { ...(await smallCopy(photo)), remark };
  }

  /** A photo's pixels: ``blob``, a PNG, and ``rgb``, three bytes each. */
  photoFile({ photo }) {
    return wholePicture(this.#photos.get(photo));
  }

  removePhoto({ name }) {
    this.#photos.delete(name);
    this.#forgetPasses();
  }

  #forgetPasses() {
    this.#features = null;
    this.#passes.clear();
  }

  /** The capture of a request (see host/host.js), without what only the page knows of its photo; of a changed network with ``notes``,
   * see changing.js. */
  capture(request) {
    const before = this.#asItIs(request);
    if (!isChanged(request)) return captureOf({ request, ...before });
    const made = this.#resolved(request);
    const after = this.#run(request, { changes: made.changes });
    return {
      ...captureOf({ request, ...after, changes: made.changes }),
      change: changeOf(before, after, made, before.about.labels),
      notes: made.notes,
    };
  }

  /** What a network answers to a request in numbers, ``logits``, and the names of its ``layers``. */
  answer(request) {
    const { logits, layers } = isChanged(request)
      ? this.#run(request, { changes: this.#resolved(request).changes })
      : this.#asItIs(request);
    return { logits, layers: layers.map(({ name }) => name) };
  }

  /** The pass of a request whose edits are left out. */
  #asItIs({ photo, network, view }) {
    const key = JSON.stringify([photo, network, view]);
    return this.#passes.get(key, () => this.#run({ photo, network, view }));
  }

  /** What a request's edits come to. */
  #resolved(request) {
    const { usual } = this.#networks.get(request.network);
    const patched = (photo) => this.#asItIs({ ...request, photo }).layers;
    return resolved(request.edits ?? {}, this.#asItIs(request).layers, { usual, patched });
  }

  /** The capture of a frame of a camera, an ImageBitmap, of which nothing is kept: without steps. */
  frame({ bitmap, ...request }) {
    const { about, logits, layers, photo, region } = this.#pass(takenPhoto(bitmap, 1), request);
    const gates = layers.map((layer) => ({ ...layer, steps: [] }));
    return captureOf({ request, photo, region, about, logits, layers: gates });
  }

  /** One channel's features before and after a layer's gate. */
  features({ channel, ...request }) {
    const { before, after, height, width } = this.#featuresOf(request);
    const count = height * width;
    const part = (values) => values.slice(channel * count, (channel + 1) * count);
    const array = (values) => ({ values: part(values), height, width, grain: 0 });
    return { before: array(before), after: array(after) };
  }

  /** All channels' features before a layer's gate, as thumbnails. */
  gallery(request) {
    return galleryOf(this.#featuresOf(request));
  }

  #featuresOf({ layer: name, ...request }) {
    const { network, photo, view, edits } = request;
    const key = JSON.stringify([network, photo, view, edits, name]);
    if (this.#features?.key !== key) {
      const changes = isChanged(request) ? this.#resolved(request).changes : {};
      const { layers } = this.#run(request, { featuresOf: name, changes });
      this.#features = { key, ...layers.find((layer) => layer.name === name) };
    }
    return this.#features;
  }

  #run({ photo, ...request }, options) {
    return this.#pass(this.#photos.get(photo), request, options);
  }

  /** One pass over a Picture. */
  #pass(photo, { network: name, view }, options) {
    const { network, about } = this.#networks.get(name);
    const region = regionOf(photo, about.recipe, view);
    const input = networkInput(photo, region, about.recipe);
    return { photo, region, about, ...ran(network, input, options) };
  }
}

/** What a network computes of an input. Throws a Fault; an answer that is none is the doing of the changes, if there are any. */
function ran(network, input, options) {
  try {
    return network.run(input, options);
  } catch (error) {
    const layers = Object.entries(options?.changes ?? {}).filter(
      ([, parts]) => Object.keys(parts).length,
    );
    if (error.key !== 'fault_answer_not_finite' || !layers.length) throw error;
    throw new Fault('fault_edits', { layer: layers.map(([name]) => name).join(', ') });
  }
}

// Beside a page without a server: a worker that holds networks and photos, runs passes, and answers the page's host
// (host/alone.js), one question after another.
import { Memory } from '../engine/memory.js';
import { Network } from '../engine/network.js';
import { readWeights } from '../engine/safetensors.js';
import { deepParts, deepPicture } from '../pixels/deep_png.js';
import { networkInput } from '../pixels/input.js';
import { shrunk } from '../pixels/shrinking.js';
import { regionOf } from '../pixels/geometry.js';
import { captureOf } from './capture.js';
import { galleryOf } from './gallery.js';
import { smallCopy, takenPhoto, wholePicture } from './photos.js';

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
  #code; // of the convolution, a WebAssembly.Module
  #networks = new Map(); // name -> {network, about}
  #photos = new Map();
  #features = null; // of the layer that was asked for last: {key, before, after}

  /** The bytes of convolution.wasm are here. */
  async start({ bytes }) {
    this.#code = await WebAssembly.compile(bytes);
  }

  /** Open a network; ``about`` is what the site says of it, ``bytes`` its weights. */
  async openNetwork({ name, about, bytes }) {
    const memory = await Memory.open(this.#code);
    const network = new Network(memory, about.architecture, readWeights(bytes));
    this.#networks.set(name, { network, about });
  }

  closeNetwork({ name }) {
    this.#networks.delete(name);
    this.#features = null;
  }

  /** Take a photo, an ImageBitmap to be turned by EXIF's ``orientation``. Gives a small copy of it, a JPEG. */
  addPhoto({ name, bitmap, orientation }) {
    const photo = takenPhoto(bitmap, orientation);
    this.#photos.set(name, photo);
    return smallCopy(photo);
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
    this.#features = null;
  }

  /** The capture of a request (see host/host.js), without what only the page knows of its photo. */
  capture(request) {
    const { photo, region, about, logits, layers } = this.#run(request);
    return captureOf({ request, photo, region, about, logits, layers });
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
    const key = JSON.stringify([request.network, request.photo, request.view, name]);
    if (this.#features?.key !== key) {
      const { layers } = this.#run(request, { featuresOf: name });
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
    return { photo, region, about, ...network.run(input, options) };
  }
}

// The photos of a page without a server: its examples, and the visitor's own, which stay in this browser.
import { Fault } from '../engine/fault.js';
import { deepParts } from '../pixels/deep_png.js';
import { isJpeg, uprightFile } from '../pixels/orientation.js';
import { bytesOf } from './files.js';
import { Open } from './open.js';

const MOST_OPEN = 9;
const [MOST_PIXELS, MOST_LONG] = [50_000_000, 30]; // as photos/limits.py has them
const JPEG = 'image/jpeg';
const OWN = 'own:'; // begins the name of a visitor's own photo

/** The photos that a site has, as viewer/site writes them, and those that are added. */
export class SitePhotos {
  #known = new Map(); // name -> {name, isExample, file or path, picture}
  #open;
  #count = 0;
  #visit = Math.random().toString(36).slice(2, 8); // links and the Back button may know names of the one before

  constructor(examples, ask) {
    for (const example of examples) this.#known.set(example.photo, { ...example, isExample: true });
    this.#open = new Open(MOST_OPEN, {
      open: (photo, options) => this.#toWorker(photo, ask, options),
      close: (name) => ask('removePhoto', { name }),
    });
  }

  /** What is known of a photo, {name, isExample, picture}; undefined if there is none. */
  find(photo) {
    return this.#known.get(photo);
  }

  /** Have a photo open in the worker. Throws a Fault. */
  async open(photo, options) {
    if (!this.find(photo)) throw new Fault('fault_photo_gone');
    await this.#open.have(photo, options);
  }

  /** Take a file as a photo, which is opened when it is first asked for. */
  async add(file) {
    const photo = `${OWN}${this.#visit}-${++this.#count}`;
    const name = file.name || 'photo';
    this.#known.set(photo, { name, isExample: false, file });
    return { photo, name };
  }

  /** A photo's small copy as an address that holds it. */
  pictureOf(photo) {
    return new Promise((resolve) => {
      const reader = new FileReader();
      reader.addEventListener('load', () => resolve(reader.result));
      reader.readAsDataURL(this.find(photo).blob);
    });
  }

  async remove(photo) {
    const known = this.find(photo);
    if (known?.picture) URL.revokeObjectURL(known.picture);
    this.#known.delete(photo);
    await this.#open.drop(photo);
  }

  async forget() {
    for (const { photo } of this.mine()) await this.remove(photo);
  }

  /** The visitor's own, the newest first. */
  mine() {
    const own = [...this.#known].filter(([, { isExample }]) => !isExample);
    return own.map(([photo, { name }]) => ({ photo, name })).toReversed();
  }

  /** Examples of a network, [{photo, outside}], as the app takes them in a language. */
  described(examples, language) {
    return examples.map(({ photo, outside }) => {
      const { name, thumbnail, title, mark, credit } = this.find(photo);
      return {
        photo,
        name,
        thumbnail,
        title: title[language] ?? title.en,
        mark: outside ? (mark[language] ?? mark.en) : '',
        credit,
      };
    });
  }

  async #toWorker(photo, ask, options) {
    const known = this.find(photo);
    const bytes = known.file
      ? new Uint8Array(await known.file.arrayBuffer())
      : await bytesOf(known.path, { signal: options?.signal });
    const { blob = new Blob([bytes], { type: JPEG }), remark } = await sent(
      photo,
      bytes,
      known,
      ask,
    );
    known.picture ??= URL.createObjectURL(blob);
    known.blob = blob;
    known.remark = remark;
  }
}

/** Give a photo's file to the worker: decoded by the browser, or as it is where browsers leave bits out. */
async function sent(photo, bytes, known, ask) {
  const parts = deepParts(bytes);
  if (parts) {
    checkSize(parts, known.name);
    return ask('addDeepPhoto', { name: photo, bytes, file: known.name });
  }
  const { bitmap, orientation } = await decodedPicture(bytes, known);
  // of a visitor's own photo a copy is shown, and saved, in which is nothing but its pixels
  const canBeShown = known.isExample && orientation === 1 && isJpeg(bytes);
  return ask('addPhoto', { name: photo, bitmap, orientation, canBeShown }, [bitmap]);
}

/** A file's picture as the browser decodes it, in sRGB, and how it is still to be turned. Here and not in the worker: of a page
 * from a disk WebKit lets no worker read files. Throws a Fault for what can't be opened. */
async function decodedPicture(content, { name, file }) {
  const { orientation, bytes } = uprightFile(content);
  const bitmap = await createImageBitmap(new Blob([bytes], { type: file?.type })).catch(() => {
    throw new Fault(bytes.length ? 'fault_photo_unknown' : 'fault_photo_empty', { name });
  });
  checkSize(bitmap, name);
  return { bitmap, orientation };
}

function checkSize({ width, height }, name) {
  if (width * height > MOST_PIXELS) {
    const megapixels = ((width * height) / 1e6).toFixed(1);
    throw new Fault('fault_photo_too_many_pixels', { name, megapixels, limit: MOST_PIXELS / 1e6 });
  }
  if (Math.max(width, height) > MOST_LONG * Math.min(width, height))
    throw new Fault('fault_photo_too_long', { name, limit: MOST_LONG });
}

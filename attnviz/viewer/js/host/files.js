// The files of a page without a server: fetched from beside it, or in the page itself, as base64 in elements that name them.
import { Fault } from '../engine/fault.js';
import { fetchedWhole } from '../offline/fetching.js';

const elementOf = (path) => document.querySelector(`script[data-file="${path}"]`);

/** Whether a file is in the page itself. */
export const isInside = (path) => Boolean(elementOf(path));

/** The bytes of a file by its path. ``report`` is told {done, total} of what is fetched; ``total``: bytes, if that is known.
 * Throws a Fault if it can't be had, one of the key ``damaged`` if it arrives damaged, or the signal's reason. */
export async function bytesOf(path, options = {}) {
  const { signal, report, total = 0, damaged = 'fault_file_damaged' } = options;
  if (isInside(path)) return decoded(elementOf(path).textContent);
  const address = new URL(path, document.baseURI).href;
  const store = await openStore();
  const kept = await store?.match(address).catch(() => null);
  try {
    if (kept) return new Uint8Array(await kept.arrayBuffer());
    const whole = await fetchedWhole(address, {
      signal,
      report: (done) => report?.({ done, total }),
    });
    if (!whole) throw new Fault(damaged);
    store?.put(address, new Response(whole.bytes)).catch(() => {}); // meanwhile; it may be full
    return whole.bytes;
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof Fault ? error : new Fault('fault_unreachable');
  }
}

/** What the browser keeps of this page, also for when there is no network (see offline/serving.js), all of it whole; null where
 * it keeps nothing. */
async function openStore() {
  try {
    return await caches.open(`attnviz:${new URL('.', document.baseURI).href}`);
  } catch {
    return null;
  }
}

/** The text of a file by its path: of what runs in the page too. */
export async function textOf(path) {
  const own = document.querySelector(`[data-part="${path}"]`);
  return own ? own.textContent : new TextDecoder().decode(await bytesOf(path));
}

/** The bytes of a text in base64. */
export function decoded(text) {
  return Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
}

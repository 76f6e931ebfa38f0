// The files of a page without a server: fetched from beside it, or in the page itself, as base64 in elements that name them.
import { Fault } from '../engine/fault.js';
import { received } from './receiving.js';

const elementOf = (path) => document.querySelector(`script[data-file="${path}"]`);

/** Whether a file is in the page itself. */
export const isInside = (path) => Boolean(elementOf(path));

/** The bytes of a file by its path. ``options.report`` is told {done, total} of what is fetched; ``total``: bytes, if that is
 * known. Throws a Fault if it can't be had, or the signal's reason. */
export async function bytesOf(path, { signal, report, total = 0 } = {}) {
  if (isInside(path)) return decoded(elementOf(path).textContent);
  const address = new URL(path, document.baseURI).href;
  try {
    const store = await openStore();
    const kept = await store?.match(address);
    const response = kept ?? (await fetch(address, { signal }));
    if (!response.ok) throw new Error(response.statusText);
    const bytes = await received(response.body, (done) => report?.({ done, total }));
    if (store && !kept) keep(store, address, bytes); // meanwhile
    return bytes;
  } catch {
    signal?.throwIfAborted();
    throw new Fault('fault_unreachable');
  }
}

/** Keep a file, where there is room. */
const keep = (store, address, bytes) => store.put(address, new Response(bytes)).catch(() => {});

/** What the browser keeps of this page, also for when there is no network (see offline/serving.js); null where it keeps
 * nothing. */
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

/** The SHA-256 of bytes in hexadecimal; null on pages that the browser does not trust with that. */
export async function sumOf(bytes) {
  if (!crypto.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Throw a Fault unless bytes have this checksum, where that can be told. */
export async function checkSum(bytes, expected) {
  const found = await sumOf(bytes);
  if (found !== null && found !== expected) throw new Fault('fault_weights_damaged');
}

// Serves a page without a server where there is no network: what was fetched once is kept in the browser's own store.
import { fetchedWhole } from './fetching.js';

/** Serve from within a service worker. ``page``: the files that are kept at once; ``files``: all that the page has now. What else
 * is asked for in its folder, other pages say, is left to the browser. */
export function serveOffline(scope, { page, files }) {
  const home = scope.registration.scope;
  const name = `attnviz:${home}`; // of the store, in which other pages of this address have theirs
  const addresses = new Set(files.map((path) => new URL(path, home).href));
  const pages = [home, new URL('index.html', home).href];
  scope.addEventListener('install', (event) => event.waitUntil(install(scope, name, page)));
  scope.addEventListener('activate', (event) => event.waitUntil(activate(scope, name, files)));
  scope.addEventListener('fetch', (event) => {
    const { method, url } = event.request;
    const address = url.split(/[?#]/)[0];
    if (method !== 'GET') return;
    if (pages.includes(address)) event.respondWith(pageServed(name, event));
    else if (addresses.has(address)) event.respondWith(fileServed(name, event.request));
  });
}

async function install(scope, name, page) {
  const store = await caches.open(name);
  await Promise.all(page.map((path) => keepWhole(store, path)));
  await scope.skipWaiting();
}

/** Keep a file. Throws an Error where it can't be had, or arrives damaged: the browser tries again at the next visit. */
async function keepWhole(store, path) {
  const whole = await fetchedWhole(path);
  if (!whole) throw new Error(`${path} arrived damaged`);
  const { bytes, headers } = whole;
  await store.put(path, new Response(bytes, { headers }));
}

/** Forget what the page has no more: weights that were replaced, scripts of another version. */
async function activate(scope, name, files) {
  const store = await caches.open(name);
  const kept = new Set(['', ...files].map((path) => new URL(path, scope.registration.scope).href));
  const outdated = (await store.keys()).filter(({ url }) => !kept.has(url));
  await Promise.all(outdated.map((request) => store.delete(request)));
  await scope.clients.claim();
}

/** The page itself comes from the network while there is one: it names the files of its version, which never change. */
async function pageServed(name, event) {
  try {
    const answer = await fetch(event.request);
    if (answer.ok) event.waitUntil(keepPage(name, answer.clone()));
    return answer;
  } catch (error) {
    const kept = await keptOf(name, './');
    if (kept) return kept;
    throw error;
  }
}

const keepPage = async (name, page) => (await caches.open(name)).put('./', page).catch(() => {}); // it may be full

/** A file of the page, which the page itself keeps once it has it, see host/files.js. */
const fileServed = async (name, request) => (await keptOf(name, request)) ?? fetch(request);

async function keptOf(name, request) {
  try {
    return await (await caches.open(name)).match(request);
  } catch {
    return null; // the browser gives nothing back
  }
}

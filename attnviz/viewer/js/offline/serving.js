// Serves a page without a server where there is no network: what was fetched once is kept in the browser's own store.

/** Serve from within a service worker. ``page``: the files that are kept at once; ``files``: all that the page has now. */
export function serveOffline(scope, { page, files }) {
  const name = `attnviz:${scope.registration.scope}`; // of the store, in which other pages of this address have theirs
  scope.addEventListener('install', (event) => event.waitUntil(install(scope, name, page)));
  scope.addEventListener('activate', (event) => event.waitUntil(activate(scope, name, files)));
  scope.addEventListener('fetch', (event) => {
    const { method, url } = event.request;
    if (method === 'GET' && url.startsWith(scope.registration.scope))
      event.respondWith(served(name, event.request));
  });
}

async function install(scope, name, page) {
  const store = await caches.open(name);
  await store.addAll(page);
  await scope.skipWaiting();
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
async function served(name, request) {
  const store = await caches.open(name);
  const isPage = request.mode === 'navigate';
  const kept = await store.match(isPage ? './' : request, { ignoreSearch: isPage });
  if (kept && !isPage) return kept;
  try {
    const answer = await fetch(request);
    if (answer.ok) await store.put(isPage ? './' : request, answer.clone());
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

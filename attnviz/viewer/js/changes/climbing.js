// What the host says of every layer changed in turn, asked for once for each photo, network, view and way.

const KEPT = 16;
const kept = new Map(); // by key: the promise of stairs, see host.js; the oldest first

/** The stairs of a trace's photo in its network as it is, every layer changed by ``how``, 'usual' or 'off'. */
export function climbed(viewer, how, options) {
  const { photo, network, view } = viewer.trace.asked;
  const key = stairsKey(viewer, how);
  if (!kept.has(key)) {
    const promise = viewer.host.stairs({ photo, network, view }, { how }, options);
    kept.set(key, promise);
    forgetUnfinished(key, promise, options.signal);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  }
  return kept.get(key);
}

/** Let go of a promise that failed, or was given up: who asks again then must not get it. */
function forgetUnfinished(key, promise, signal) {
  const forget = () => {
    if (kept.get(key) === promise) kept.delete(key);
  };
  signal.addEventListener('abort', forget);
  promise.then(() => signal.removeEventListener('abort', forget), forget);
}

/** What stairs are told from others by. */
export function stairsKey({ trace: { asked } }, how) {
  return JSON.stringify([asked.network, asked.photo, asked.view, how]);
}

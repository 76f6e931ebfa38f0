// What becomes of what a visitor brings.

/** The host's promise; empty where it makes none. */
export function promiseOf({ say, opening, host }) {
  if (host.isAlone) return say('promise');
  return opening.minutes ? say('promise', { minutes: opening.minutes }) : '';
}

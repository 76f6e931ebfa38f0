// Files of a page without a server, fetched whole.
import { received } from '../host/receiving.js';
import { isWhole } from './sums.js';

/** A file from the network: {bytes, headers}; null if it arrives damaged. ``options.report`` is told how many bytes are here.
 * Throws an Error if it can't be had, or the signal's reason. */
export async function fetchedWhole(address, { signal, report } = {}) {
  // The browser may have kept what arrived damaged: the second time what it keeps is passed by.
  for (const cache of ['default', 'reload']) {
    const response = await fetch(address, { signal, cache });
    if (!response.ok) throw new Error(response.statusText);
    const bytes = await received(response.body, report);
    if (await isWhole(address, bytes)) return { bytes, headers: response.headers };
  }
  return null;
}

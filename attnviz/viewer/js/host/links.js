// Links to what is shown.

/** Copy an address. Gives how that went: a key of our words, and its values. */
export async function copied(address) {
  try {
    await navigator.clipboard.writeText(address);
    return { key: 'link_copied' };
  } catch {
    if (window.top === window) return { key: 'link_here' };
    return { key: 'link_in_frame', values: { address } }; // whose address no bar shows
  }
}

// The whole screen, and how large the window is.
import { useEffect, useState } from '../vendor/preact-hooks.js';

/** Take the whole screen, if the browser lets a page have it; ``onLeave`` is called when the browser takes it back. What this gives ends
 * that. */
export function enterFullScreen(onLeave) {
  const page = document.documentElement;
  page.requestFullscreen?.().catch(() => {}); // an address that opens here is no wish of a person
  const onChange = () => !document.fullscreenElement && onLeave();
  document.addEventListener('fullscreenchange', onChange);
  return () => document.removeEventListener('fullscreenchange', onChange);
}

export function leaveFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
}

/** [width, height] of the window in CSS pixels, now and whenever it changes. */
export function useWindow() {
  const [extent, setExtent] = useState([innerWidth, innerHeight]);
  useEffect(() => {
    const measure = () => setExtent([innerWidth, innerHeight]);
    addEventListener('resize', measure);
    return () => removeEventListener('resize', measure);
  }, []);
  return extent;
}

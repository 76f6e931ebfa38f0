// Canvases as components, and how wide there is room.
import { h } from '../vendor/preact.js';
import { useCallback, useLayoutEffect, useRef, useState } from '../vendor/preact-hooks.js';
import { contextOf } from './canvas.js';

/** A canvas of ``width`` by ``height`` CSS pixels, which ``draw(context)`` fills; again when one of ``inputs`` is another
 * (without them whenever the component is rendered). All other properties are the canvas element's. */
export function Surface({ width, height, draw, inputs, ...properties }) {
  const canvas = useRef(null);
  const depends = inputs && [width, height, ...inputs];
  useLayoutEffect(() => {
    if (width > 0 && height > 0) draw(contextOf(canvas.current, width, height));
    canvas.current.pictureAt = (ratio) => pictureAt(draw, width, height, ratio);
  }, depends);
  return h('canvas', { ref: canvas, ...properties });
}

/** The same drawn on a canvas of its own, with ``ratio`` pixels a CSS pixel. */
function pictureAt(draw, width, height, ratio) {
  const copy = document.createElement('canvas');
  draw(contextOf(copy, width, height, ratio));
  return copy;
}

/** [ref, width]: the width in CSS pixels of the element that is given the ref, whichever it is, now and whenever it changes. */
export function useWidth() {
  const observer = useRef(null);
  const [width, setWidth] = useState(0);
  const place = useCallback((element) => {
    observer.current?.disconnect();
    if (!element) return;
    const measure = () => setWidth((before) => Math.floor(element.clientWidth) || before);
    measure();
    observer.current = new ResizeObserver(measure);
    observer.current.observe(element);
  }, []);
  return [place, width];
}

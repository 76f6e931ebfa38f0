// Whether the page is touched rather than pointed at, as css/touch.css asks.

const coarse = matchMedia('(pointer: coarse)');

/** Whether a finger is what points here. */
export const isTouch = () => coarse.matches;

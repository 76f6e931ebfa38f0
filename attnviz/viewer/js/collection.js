// Traces to compare, asked of the host one after another.

const KEPT = 16; // traces that are not wanted now, for when they are wanted again

/** The traces that a comparison of ``viewer`` wants. */
export function collection(viewer) {
  let requests = []; // what is wanted, {network, photo, view}
  let kept = new Map(); // key of a request -> {trace}, {error}, or {} while it is on its way

  /** Ask for a trace, and keep it or the error. */
  async function load(request) {
    const mine = kept; // what arrives after ``forget`` is let go of
    const key = keyOf(request);
    mine.set(key, {});
    try {
      mine.set(key, { trace: await viewer.open(await viewer.host.capture(request)) });
    } catch (error) {
      mine.set(key, { error });
    }
  }

  /** Let go of errors, and of the oldest traces that are not wanted. */
  function tidy() {
    const wanted = new Set(requests.map(keyOf));
    const idle = Array.from(kept.keys()).filter((key) => !wanted.has(key));
    for (const [place, key] of idle.entries())
      if (kept.get(key).error || place < idle.length - KEPT) kept.delete(key);
  }

  return {
    /** All that is wanted: {request} with its {trace} or {error}, if it has arrived. */
    entries: () => requests.map((request) => ({ request, ...kept.get(keyOf(request)) })),

    /** The traces that have arrived. */
    traces: () => requests.map((request) => kept.get(keyOf(request))?.trace).filter(Boolean),

    /** Keep a trace that is there already. */
    put(trace) {
      kept.set(keyOf(trace.asked), { trace });
    },

    forget() {
      kept = new Map();
      requests = [];
    },

    /** Want these from now on; each is drawn when it arrives. What failed is asked for again. */
    async want(list) {
      const mine = kept;
      requests = list;
      viewer.draw();
      for (const request of list) {
        if (kept !== mine) return;
        const entry = kept.get(keyOf(request));
        if (entry && !entry.error) continue;
        await load(request);
        viewer.draw();
      }
      tidy();
    },
  };
}

const keyOf = ({ network, photo, view }) => JSON.stringify([network, photo, view]);

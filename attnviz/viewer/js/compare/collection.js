// Traces to compare, asked of the host, several with one request where it can.

/** What a comparison of ``viewer`` wants; ``wanted`` gives the requests that its state names, [{network, photo, view}]. */
export function collection(viewer, wanted) {
  let requests = [];
  let errors = new Map(); // by the request's key
  let abort = null; // ends what is under way

  const isHere = (request) => Boolean(viewer.captures.peek(request));
  const isSettled = (request) => isHere(request) || errors.has(keyOf(request));

  /** Ask for what is missing; each part is drawn when it arrives. */
  async function fetchMissing() {
    const { signal } = (abort = new AbortController());
    const most = viewer.host.captures ? viewer.host.together : 1;
    const missing = requests.filter((request) => !isSettled(request));
    for (let first = 0; first < missing.length && !signal.aborted; first += most) {
      const part = missing.slice(first, first + most);
      const answers = await viewer.captures.getAll(part, { signal });
      if (signal.aborted) return;
      for (const [place, { error }] of answers.entries())
        if (error) errors.set(keyOf(part[place]), error);
      viewer.draw();
    }
    abort = null;
    viewer.draw();
  }

  return {
    /** All that is wanted: {request} with its {trace} or {error}, if it has arrived. */
    entries: () =>
      requests.map((request) => {
        const trace = viewer.captures.peek(request);
        return { request, ...(trace ? { trace } : { error: errors.get(keyOf(request)) }) };
      }),

    /** The traces that have arrived. */
    traces: () => requests.map((request) => viewer.captures.peek(request)).filter(Boolean),

    /** How many were answered, of how many, and whether more are under way. */
    progress: () => ({
      done: requests.filter(isSettled).length,
      total: requests.length,
      isUnderWay: abort !== null,
    }),

    forget() {
      abort?.abort();
      abort = null;
      requests = [];
    },

    /** Give up what is under way. */
    stop() {
      abort?.abort();
      abort = null;
      viewer.draw();
    },

    /** Ask for what was given up. */
    goOn: () => fetchMissing(),

    /** Want what the state names, from now on. What failed is asked for again. */
    async open() {
      const list = wanted();
      const isSame = keyOf(list) === keyOf(requests);
      if (isSame && abort) return;
      abort?.abort();
      requests = list;
      errors = new Map();
      await fetchMissing();
    },
  };
}

const keyOf = (request) =>
  JSON.stringify(
    Array.isArray(request) ? request.map(keyOf) : [request.network, request.photo, request.view],
  );

// Traces to compare, asked of the host one after another.

/** What a comparison of ``viewer`` wants: {want, open, entries, traces, forget}. */
export function collection(viewer) {
  let requests = []; // what is wanted, {network, photo, view}
  let errors = new Map(); // by the request's key
  let turn = 0; // what was wanted before gives way

  return {
    /** All that is wanted: {request} with its {trace} or {error}, if it has arrived. */
    entries: () =>
      requests.map((request) => {
        const trace = viewer.captures.peek(request);
        return { request, ...(trace ? { trace } : { error: errors.get(keyOf(request)) }) };
      }),

    /** The traces that have arrived. */
    traces: () => requests.map((request) => viewer.captures.peek(request)).filter(Boolean),

    forget() {
      turn++;
      requests = [];
    },

    /** Want what the state names. */
    open() {
      return this.want(wantedOf(viewer, this));
    },

    /** Want these from now on; each is drawn when it arrives. What failed is asked for again. */
    async want(list) {
      const mine = ++turn;
      requests = list;
      errors = new Map();
      viewer.draw();
      for (const request of list) {
        if (turn !== mine) return;
        if (viewer.captures.peek(request)) continue;
        try {
          await viewer.captures.get(request);
        } catch (error) {
          errors.set(keyOf(request), error);
        }
        viewer.draw();
      }
    },
  };
}

function wantedOf(viewer, self) {
  const { state, trace } = viewer;
  const { photo, network, view } = trace.asked;
  return self === viewer.compared.networks
    ? state.networks.map((name) => ({ photo, network: name, view }))
    : state.photos.map((name) => ({ photo: name, network, view }));
}

const keyOf = ({ network, photo, view }) => JSON.stringify([network, photo, view]);

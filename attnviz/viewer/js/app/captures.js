// Traces that were seen, so that none is asked for twice.
import { openCapture } from '../numbers/traces.js';

const KEPT = 24;

/** The traces of a host's captures. */
export class Captures {
  #host;
  #kept = new Map(); // key of a request -> trace, the least recently used first

  constructor(host) {
    this.#host = host;
  }

  /** The trace of a request, if it is here. */
  peek(request) {
    const key = keyOf(request);
    const trace = this.#kept.get(key);
    if (!trace) return null;
    this.#kept.delete(key);
    this.#kept.set(key, trace);
    return trace;
  }

  /** The trace of a request. Throws a HostError. */
  async get(request, options) {
    const seen = this.peek(request);
    if (seen) return seen;
    const kept = this.#kept; // what arrives after ``forget`` is let go of
    const trace = await openCapture(await this.#host.capture(request, options));
    if (kept === this.#kept) this.#put(request, trace);
    options?.signal?.throwIfAborted(); // a host need not look at the signal
    return trace;
  }

  /** The trace of a capture that is here already. */
  async open(capture) {
    const trace = await openCapture(capture);
    this.#put(trace.asked, trace);
    return trace;
  }

  /** Those that are here. */
  all() {
    return [...this.#kept.values()];
  }

  /** Let go of all, or of those of one photo or network. */
  forget(isForgotten = () => true) {
    const stays = [...this.#kept].filter(([, trace]) => !isForgotten(trace));
    this.#kept = new Map(stays);
  }

  #put(request, trace) {
    const key = keyOf(request);
    this.#kept.delete(key);
    this.#kept.set(key, trace);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
  }
}

const keyOf = ({ network, photo, view }) => JSON.stringify([network, photo, view]);

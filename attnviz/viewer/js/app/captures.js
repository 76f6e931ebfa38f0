// Traces that were seen, so that none is asked for twice.
import { keyOfEdits } from '../changes/edits.js';
import { openCapture } from '../numbers/traces.js';

const KEPT = 32;

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

  /** What came of several requests, with one question where the host can: a list of {trace} or {error}. */
  async getAll(requests, options) {
    const host = this.#host;
    if (!host.captures || requests.length === 1)
      return Promise.all(requests.map((request) => settled(this.get(request, options))));
    const kept = this.#kept;
    const answers = await settled(host.captures(requests, options));
    if (answers.error) return requests.map(() => answers);
    return Promise.all(
      answers.trace.map((answer, place) => settled(this.#opened(answer, requests[place], kept))),
    );
  }

  /** The trace of an answer of the host, a capture or an error. */
  async #opened(answer, request, kept) {
    if (answer instanceof Error) throw answer;
    const trace = await openCapture(answer);
    if (kept === this.#kept) this.#put(request, trace);
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

/** What came of a promise: {trace} or {error}. */
const settled = (promise) =>
  promise.then(
    (trace) => ({ trace }),
    (error) => ({ error }),
  );

const keyOf = ({ network, photo, view, edits }) =>
  JSON.stringify([network, photo, view, keyOfEdits(edits)]);

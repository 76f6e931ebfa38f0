// What is under way: one thing at a time, which can be given up.

/** The work of ``viewer``, which shows what is waited for (``waiting``) and tells what went wrong. */
export class Work {
  #viewer;
  #abort = null; // ends what is under way

  constructor(viewer) {
    this.#viewer = viewer;
  }

  /** Do something that takes a while: ``action`` gets the host's options. What was under way is given up; what goes wrong
   * is said. */
  async do(waiting, action) {
    const viewer = this.#viewer;
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    const report = (far) => {
      if (this.#abort !== abort) return;
      viewer.waiting = { ...viewer.waiting, ...far }; // whatever is waited for by now
      viewer.draw();
    };
    viewer.notice = null;
    viewer.waiting = waiting;
    viewer.draw();
    try {
      return await action({ signal: abort.signal, report });
    } catch (error) {
      if (!abort.signal.aborted) viewer.tell(error);
      return null;
    } finally {
      if (this.#abort === abort) viewer.waiting = this.#abort = null;
      viewer.draw();
    }
  }

  /** Give up what is under way. */
  giveUp() {
    this.#abort?.abort();
    this.#abort = this.#viewer.waiting = null;
  }
}

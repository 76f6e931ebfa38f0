// The worker that computes for a page without a server, as a function that asks it.
import { Fault } from '../engine/fault.js';
import { bytesOf, isInside } from './files.js';

/** Start the worker, whose script and whose WebAssembly are at these paths: gives {ask, end}: ask(question, asked, transferred), a promise
 * of its answer, see worker/answering.js, and end(), which lets go of all that is asked with an AbortError. */
export async function startWorker({ worker: script, code }) {
  const worker = new Worker(await addressOf(script));
  const waiting = new Map();
  let count = 0;
  const ask = (question, asked, transferred = []) =>
    new Promise((resolve, reject) => {
      const id = ++count;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, question, asked }, transferred);
    });
  const settle = (id, act) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (asked) act(asked);
  };
  worker.addEventListener('message', ({ data: { id, answer, fault } }) =>
    settle(id, ({ resolve, reject }) =>
      fault ? reject(new Fault(fault.key, fault.values)) : resolve(answer),
    ),
  );
  worker.addEventListener('error', () => {
    for (const id of waiting.keys())
      settle(id, ({ reject }) => reject(new Fault('fault_unexpected')));
  });
  const end = () => {
    worker.terminate();
    for (const id of waiting.keys())
      settle(id, ({ reject }) => reject(new DOMException('the worker was ended', 'AbortError')));
  };
  const bytes = await bytesOf(code);
  await ask('start', { bytes }, [bytes.buffer]);
  return { ask, end };
}

/** The address of a script: beside the page, or in it. */
async function addressOf(path) {
  if (!isInside(path)) return new URL(path, document.baseURI).href;
  return URL.createObjectURL(new Blob([await bytesOf(path)], { type: 'text/javascript' }));
}

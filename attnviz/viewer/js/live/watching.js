// Watching through the camera: frame after frame is traced, as many at once as the host can, and given in their order.
import { openFrame } from '../numbers/traces.js';
import { pictureOf, showCamera } from '../photos/stream.js';

const WANTED = { width: { ideal: 640 }, height: { ideal: 480 } }; // px; networks see 256 of the shorter side

/** Watch through the camera by a ``video`` element, until what this gives back is called, or the page is out of sight, or
 * something goes wrong. ``onTrace`` gets each frame's trace, ``onStop`` why there are no more: the key of a sentence, or
 * an error. */
export function watch(viewer, video, { onTrace, onStop }) {
  const abort = new AbortController();
  const { signal } = abort;
  const stop = (why) => {
    if (signal.aborted) return;
    end();
    onStop(why);
  };
  const onHide = () => document.hidden && stop('live_hidden');
  const onReady = () => traceFrames(viewer, video, { signal, onTrace }).catch(stop);
  const endCamera = showCamera(video, stop, WANTED);
  const end = () => {
    abort.abort();
    endCamera();
    viewer.host.endFrames().catch(() => {}); // what is not there any more needs no end
  };
  document.addEventListener('visibilitychange', onHide, { signal });
  video.addEventListener('loadeddata', onReady, { signal, once: true });
  return end;
}

/** Trace what a video shows again and again. Throws what goes wrong, unless the signal is aborted. */
async function traceFrames(viewer, video, { signal, onTrace }) {
  let taken = 0;
  let shown = 0;
  let turn = Promise.resolve(); // of the screen: each frame waits for its own
  const lane = async () => {
    while (!signal.aborted) {
      await (turn = turn.then(nextScreen));
      const number = ++taken;
      const trace = await frameTrace(viewer, pictureOf(video), signal);
      if (number < shown || signal.aborted) continue; // a later one was faster
      shown = number;
      onTrace(trace);
    }
  };
  try {
    await Promise.all(Array.from({ length: viewer.host.framesAtOnce }, lane));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The trace of a picture, in the network and the view that the viewer shows. */
async function frameTrace({ host, trace }, picture, signal) {
  const { network, view } = trace.asked;
  const bitmap = await createImageBitmap(picture);
  return openFrame(await host.frame({ network, view, bitmap }, { signal }), picture);
}

const nextScreen = () => new Promise((done) => requestAnimationFrame(done));

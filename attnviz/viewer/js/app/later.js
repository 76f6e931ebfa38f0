// Parts of the app that come when they are first needed.
import { HostError } from '../host/host.js';

const PARTS = {
  tools: async () => (await import('../changes/tools.js')).tools,
  lesson: async () => (await import('../learn/whole.js')).lesson,
};

/** A part of ``viewer``, which has it by its name from then on; null, which is told, if it does not come. */
export async function partOf(viewer, name) {
  if (viewer[name]) return viewer[name];
  viewer.coming[name] ??= broughtPart(viewer, name);
  return viewer.coming[name];
}

async function broughtPart(viewer, name) {
  try {
    viewer[name] = await PARTS[name]();
    viewer.draw();
  } catch {
    viewer.tell(new HostError());
  }
  delete viewer.coming[name]; // what did not come is asked for when all is drawn the next time
  return viewer[name];
}

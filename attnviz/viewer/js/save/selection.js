// What of the view is to be saved, as the host takes it.
import { comparedLayer } from '../compare/counterpart.js';

/** The photos and networks that are shown, what of them, and how they look. */
export function selection(viewer) {
  const { state, trace } = viewer;
  const { tab, layer, channel, a, b, way, opacity, colours, scale, smooth, order } = state;
  const { edits: _, ...asItIs } = trace.asked; // what is compared are networks as they are
  const shown = {
    explore: [trace.asked],
    networks: state.networks.map((network) => ({ ...asItIs, network })),
    photos: state.photos.map((photo) => ({ ...asItIs, photo })),
  }[tab];
  const beside = tab === 'explore' ? viewer.scaleTraces().map(({ asked }) => asked) : [];
  const look = { way, opacity, colormap: colours, scale, smooth, order };
  return { tab, layer, compared: comparedLayers(viewer), channel, a, b, shown, beside, look };
}

/** The layer of each network that is compared, by the network's name. */
function comparedLayers(viewer) {
  if (viewer.state.tab !== 'networks') return {};
  const layers = viewer.compared.networks
    .traces()
    .map((trace) => [trace.asked.network, comparedLayer(viewer, trace)?.name ?? '']);
  return Object.fromEntries(layers);
}

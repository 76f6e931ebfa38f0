// What of the view is to be saved, as the host takes it.

/** The photos and networks that are shown, what of them, and how they look. */
export function selection(viewer) {
  const { state, trace } = viewer;
  const { tab, block, layer, channel, a, b, way, opacity, colours, scale, smooth, order } = state;
  const shown = {
    explore: [trace.asked],
    networks: state.networks.map((network) => ({ ...trace.asked, network })),
    photos: state.photos.map((photo) => ({ ...trace.asked, photo })),
  }[tab];
  const beside = tab === 'explore' ? viewer.scaleTraces().map(({ asked }) => asked) : [];
  const look = { way, opacity, colormap: colours, scale, smooth, order };
  return { tab, block, layer, channel, a, b, shown, beside, look };
}

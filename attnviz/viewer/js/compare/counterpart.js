// Which layer of another network stands beside the one on the screen.

/** The layer of a compared ``trace``: the one that was chosen for its network, or else what corresponds to the layer on the
 * screen; null if it has none. */
export function comparedLayer(viewer, trace) {
  const { state } = viewer;
  const chosen = trace.layers.find(({ name }) => name === state.compared[trace.asked.network]);
  return chosen ?? counterpart(viewer.trace.layers, viewer.layer(), trace.layers);
}

/** Of ``others`` the one that corresponds to ``layer``, one of ``layers``: the one of the same name; else the one at the
 * same place of the same stage; else the one as deep in the network. */
export function counterpart(layers, layer, others) {
  if (!others.length) return null;
  if (!layer) return others.at(-1);
  const alike = others.find(({ name }) => name === layer.name);
  if (alike) return alike;
  const ofStage = others.filter(({ stage }) => layer.stage && stage === layer.stage);
  if (ofStage.length)
    return ofStage[
      placeIn(
        layers.filter(({ stage }) => stage === layer.stage),
        layer,
        ofStage,
      )
    ];
  return others[placeIn(layers, layer, others)];
}

/** The place in ``others`` that is as far as that of ``one`` in ``list``. */
function placeIn(list, one, others) {
  const share = list.length > 1 ? list.indexOf(one) / (list.length - 1) : 1;
  return Math.round(share * (others.length - 1));
}

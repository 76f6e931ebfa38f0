// Gates on an axis of their own, from 0 to 1: the factor of SE and CBAM, of BAM the factor − 1.

/** What a layer's factor exceeds its gate by. */
export const offsetOf = (layer) => (layer.kind === 'bam' ? 1 : 0);

/** [low, high] of a layer's map: all that its gate can be or, on any scale but the fixed one, its own range. */
export function ownMapRange(layer, scaleName) {
  const { least, greatest } = layer.numbers;
  return scaleName !== 'fixed' && greatest > least ? [least, greatest] : layer.mapLimits;
}

/** A range of factors as a range of gates. */
export const asGates = (layer, range) => range.map((value) => value - offsetOf(layer));

// Linear scales and their ticks.

/** A function from the numbers [low, high] to the places [first, last], in proportion, also beyond both ends. */
export function scale([low, high], [first, last]) {
  return (value) => first + ((value - low) / (high - low || 1)) * (last - first);
}

/** ``count`` numbers from low to high, at equal distances. */
export function ticks([low, high], count = 5) {
  return Array.from({ length: count }, (_, index) => low + (index / (count - 1)) * (high - low));
}

/** The number, or the end of low to high that it lies beyond. */
export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

// What the logits say: the most probable classes, and whether the photo may well show none of them.

const SHOWN = 5; // classes, unless more are asked for

/** The most probable classes with their probabilities, [[label, probability]]. */
export function topOf(logits, labels, count = SHOWN) {
  const energy = energyOf(logits);
  return Array.from(logits, (logit, index) => [
    labels[index] ?? `class ${index}`,
    Math.exp(logit - energy),
  ])
    .sort(([, one], [, other]) => other - one)
    .slice(0, count);
}

/** The probability of a class by its number. */
export const probabilityOf = (logits, index) => Math.exp(logits[index] - energyOf(logits));

/** The number of the greatest. */
export const greatestOf = (logits) => logits.indexOf(Math.max(...logits));

/** The logarithm of the sum of exponentials. */
function energyOf(logits) {
  const greatest = Math.max(...logits);
  return greatest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - greatest), 0));
}

/** By networks/doubt.py: the greater, the more like one of the classes. */
const SCORES = {
  probability: (logits) => Math.exp(Math.max(...logits) - energyOf(logits)),
  logit: (logits) => Math.max(...logits),
  energy: energyOf,
};

/** What was measured of a network's doubt in this view, and whether this answer is doubtful; null where nothing was. */
export function doubtOf(logits, doubt) {
  if (!doubt) return null;
  const isDoubtful = SCORES[doubt.score](logits) < doubt.threshold;
  return { ...doubt, doubtful: isDoubtful, said: isDoubtful ? doubt.said : {} };
}

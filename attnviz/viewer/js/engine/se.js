// Squeeze-and-excitation (Hu et al., CVPR 2018): s = sigmoid(W2 relu(W1 z)) of the channels' means z.
import { changed } from './change.js';
import { linear, rectified, sigmoid } from './linear.js';
import { poolPositions } from './pooling.js';
import { scaleChannels } from './scaling.js';
import { checkCount } from './weights.js';

/** The module by this name, of a network's weights. */
export class SqueezeExcite {
  constructor({ memory, weights }, name) {
    Object.assign(this, { memory, weights, name });
  }

  /** Multiply features by their gates, in place. Gives the gates, and the ``steps`` to them, [[name, numbers]]. ``changes`` of parts
   * of the factor (see edits.js) are made behind the sigmoid. */
  apply(x, changes = {}) {
    const { mean, sizes } = poolPositions(this.memory, x);
    const { hidden, logits } = excite(this.weights, this.name, mean);
    checkCount(logits.length, x.channels);
    const channel = changed(logits.map(sigmoid), changes.channel);
    scaleChannels(this.memory, x, channel);
    const steps = [
      ['squeezed', mean],
      ['hidden', hidden],
      ['channel_logits', logits],
    ];
    return { channel, sizes, steps };
  }
}

/** What two layers, ``fc1`` and ``fc2``, make of pooled channels: the units between them and the logits. */
export function excite(weights, name, pooled) {
  const hidden = rectified(linear(weights, `${name}.fc1`, pooled));
  return { hidden, logits: linear(weights, `${name}.fc2`, hidden) };
}

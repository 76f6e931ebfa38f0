// CBAM (Woo et al., ECCV 2018): a gate of channels, then one of positions, which sees what the first let through.
import { changed } from './change.js';
import { Convolution } from './convolution.js';
import { sigmoid } from './linear.js';
import { poolChannels, poolPositions } from './pooling.js';
import { scaleChannels, scalePositions } from './scaling.js';
import { excite } from './se.js';
import { checkCount } from './weights.js';

/** The module by this name, of a network's weights. */
export class CBAM {
  constructor({ memory, weights, padding }, name) {
    Object.assign(this, { memory, weights, name });
    this.convolution = new Convolution(memory, weights, `${name}.spatial.conv`, { padding });
  }

  /** Multiply features by their gates, in place. Gives the gates, and the ``steps`` to them, [[name, numbers]]. ``changes``: see
   * se.js; the gate of positions sees what a changed gate of channels let through. */
  apply(x, changes = {}) {
    const channels = this.#gateChannels(x, changes.channel);
    const positions = this.memory.within(() => this.#gatePositions(x, changes.spatial));
    return { ...channels, ...positions, steps: [...channels.steps, ...positions.steps] };
  }

  #gateChannels(x, change) {
    const { mean, maximum, sizes } = poolPositions(this.memory, x);
    const name = `${this.name}.channel`;
    const average = excite(this.weights, name, mean);
    const greatest = excite(this.weights, name, maximum);
    checkCount(average.logits.length, x.channels);
    const own = average.logits.map((logit, index) => sigmoid(logit + greatest.logits[index]));
    const channel = changed(own, change);
    scaleChannels(this.memory, x, channel);
    const steps = [
      ...pathSteps('average', mean, average),
      ...pathSteps('maximum', maximum, greatest),
    ];
    return { channel, sizes, steps };
  }

  #gatePositions(x, change) {
    const { memory } = this;
    const maps = poolChannels(memory, x);
    const convolved = this.convolution.apply(maps);
    checkCount(convolved.channels, 1);
    const logits = memory.read(convolved).slice();
    const pooled = memory.read(maps).slice();
    const spatial = changed(logits.map(sigmoid), change);
    scalePositions(memory, x, spatial);
    const steps = [
      ['mean_map', pooled.slice(0, logits.length)],
      ['maximum_map', pooled.slice(logits.length)],
      ['spatial_logits', logits],
    ];
    return { spatial, steps };
  }
}

/** The steps of one of the paths through the shared layers. */
function pathSteps(path, pooled, { hidden, logits }) {
  return [
    [path, pooled],
    [`${path}_hidden`, hidden],
    [`${path}_logits`, logits],
  ];
}

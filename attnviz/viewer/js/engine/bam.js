// BAM (Park et al., BMVC 2018): F' = F * (1 + sigmoid(Mc(F) + Ms(F))), a branch of channels and one of positions.
import { changed } from './change.js';
import { Convolution } from './convolution.js';
import { linear, normed, rectified } from './linear.js';
import { normOf } from './norms.js';
import { poolPositions } from './pooling.js';
import { scaleJointly } from './scaling.js';
import { checkCount } from './weights.js';

const DILATION = 4; // of the 3 × 3 convolutions

/** The module by this name, of a network's weights. Its branches' layers are known by their places. */
export class BAM {
  constructor({ memory, weights, padding }, name) {
    Object.assign(this, { memory, weights, name });
    const layer = (place, about) =>
      new Convolution(memory, weights, `${name}.spatial.${place}`, about);
    this.reduce = layer(0);
    this.dilated = [2, 4].map((place) => layer(place, { dilation: DILATION, padding }));
    this.last = layer(6, { norm: `${name}.spatial.7` });
    this.norm = normOf(weights, `${name}.channel.5`);
  }

  /** Multiply features by 1 + their gates, in place. Gives these factors' means, both branches, and the ``steps``,
   * [[name, numbers]]. ``changes`` (see edits.js) are made to the branches, and behind the sigmoid to the factors, ``joint``. */
  apply(x, changes = {}) {
    const { memory, weights, name } = this;
    const { mean, sizes } = poolPositions(memory, x);
    const hidden = rectified(linear(weights, `${name}.channel.2`, mean));
    const ofChannels = normed(linear(weights, `${name}.channel.4`, hidden), this.norm);
    checkCount(ofChannels.length, x.channels);
    const ofPositions = memory.within(() => this.#spatialBranch(x));
    const logits = {
      channelLogits: changed(ofChannels, changes.channel_logits),
      spatialLogits: changed(ofPositions, changes.spatial_logits),
    };
    const means = scaleJointly(x, memory.read(x), logits, changes.joint);
    const steps = [
      ['squeezed', mean],
      ['hidden', hidden],
    ];
    return { ...means, ...logits, sizes, steps };
  }

  #spatialBranch(x) {
    let y = this.reduce.apply(x, { rectified: true });
    for (const convolution of this.dilated) y = convolution.apply(y, { rectified: true });
    const last = this.last.apply(y);
    checkCount(last.channels, 1);
    return this.memory.read(last).slice();
  }
}

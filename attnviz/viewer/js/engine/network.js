// A trained ResNet of ours, with squeeze-and-excitation, CBAM, BAM or none: photos in, logits and all gates out.
import { BAM } from './bam.js';
import { CBAM } from './cbam.js';
import { Convolution } from './convolution.js';
import { stagesOf } from './design.js';
import { Fault } from './fault.js';
import { linear } from './linear.js';
import { poolPositions, poolWindows } from './pooling.js';
import { SqueezeExcite } from './se.js';
import { checkSame } from './weights.js';

const IN_BLOCKS = { se: SqueezeExcite, cbam: CBAM };

/** A network, open: its weights lie in a memory of its own, which is free again once nobody holds the network. */
export class Network {
  /** ``architecture``: the ``counts`` of the stages' blocks, whether they are bottlenecks (``isBottleneck``), the
   * ``attention`` and its ``padding``. ``weights`` are its Weights. Throws a Fault if they don't fit. */
  constructor(memory, architecture, weights) {
    Object.assign(this, { memory, architecture, weights });
    this.stem = this.#convolution({ name: 'conv1', norm: 'bn1', stride: 2 });
    this.stages = stagesOf(architecture).map((blocks, stage) => this.#stage(blocks, stage + 1));
  }

  #convolution({ name, norm, stride }) {
    return new Convolution(this.memory, this.weights, name, { norm, stride });
  }

  #stage(blocks, number) {
    const { attention } = this.architecture;
    const isLast = number === this.architecture.counts.length;
    return {
      blocks: blocks.map((block) => this.#block(block)),
      attention: attention === 'bam' && !isLast ? new BAM(this.#parts, `bam${number}`) : null,
    };
  }

  #block({ name, convolutions, shortcut }) {
    const Attention = IN_BLOCKS[this.architecture.attention];
    return {
      name,
      convolutions: convolutions.map((about) => this.#convolution(about)),
      shortcut: shortcut && this.#convolution(shortcut),
      attention: Attention ? new Attention(this.#parts, `${name}.attention`) : null,
    };
  }

  get #parts() {
    const { memory, weights, architecture } = this;
    return { memory, weights, padding: architecture.padding };
  }

  /** One pass over a normalised input {values: Float32Array (3, height, width), height, width}: the ``logits``, and of each
   * attention module, in running order, what it computed. ``featuresOf`` is the name of a layer whose features ``before``
   * and ``after`` its gate are wanted too; ``changes`` are those of layers' factors, see edits.js: all later gates are computed anew.
   * Throws a Fault where the answer is no number. */
  run({ values, height, width }, { featuresOf = null, changes = {} } = {}) {
    const layers = [];
    const note = (module, x, name) =>
      layers.push(this.#attend(module, x, name, changes[name], name === featuresOf));
    const logits = this.memory.within(() => {
      const input = this.memory.features(3, height, width);
      this.memory.read(input).set(values);
      const last = this.#features(input, note);
      return linear(this.weights, 'fc', poolPositions(this.memory, last).mean);
    });
    if (!logits.every(Number.isFinite)) throw new Fault('fault_answer_not_finite');
    return { logits, layers };
  }

  #attend(module, x, name, changes, isKept) {
    const { channels, height, width } = x;
    const before = isKept ? this.memory.read(x).slice() : null;
    const computed = module.apply(x, changes);
    const after = isKept ? this.memory.read(x).slice() : null;
    return { name, channels, height, width, ...computed, before, after };
  }

  /** The features behind the last stage. Each block's take the place of those that it was given, so that a pass takes no
   * more room than its largest block. */
  #features(input, note) {
    const { memory } = this;
    const pooled = poolWindows(memory, this.stem.apply(input, { rectified: true }));
    let x = memory.moved(pooled, input.at);
    for (const [index, { blocks, attention }] of this.stages.entries()) {
      for (const block of blocks) x = memory.moved(this.#through(block, x, note), x.at);
      if (attention) note(attention, x, `bam${index + 1}`);
    }
    return x;
  }

  #through({ name, convolutions, shortcut, attention }, x, note) {
    const passed = shortcut ? shortcut.apply(x) : x;
    let y = x;
    for (const convolution of convolutions.slice(0, -1))
      y = convolution.apply(y, { rectified: true });
    const last = convolutions.at(-1);
    if (!attention) return last.apply(y, { added: passed, rectified: true });
    y = last.apply(y);
    checkSame(passed, y);
    note(attention, y, name);
    this.memory.code.add_rectified(y.at, passed.at, y.channels * y.height * y.width);
    return y;
  }
}

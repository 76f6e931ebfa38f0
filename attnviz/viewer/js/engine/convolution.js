// Convolutions: their weights as convolution.c takes them, batch norms behind them folded in.
import { Fault } from './fault.js';
import { normOf } from './norms.js';
import { checkCount, checkSame } from './weights.js';

const TOGETHER = 4; // outputs that are computed together
const POSITIONS = 8; // of the result, which are too

/** A convolution of a network, whose weights lie in ``memory``. */
export class Convolution {
  /** ``name``: of its weights; ``norm``: of the batch norm behind it, if there is one. ``padding``: what stands around the
   * features, 'zeros' or 'replicate'. */
  constructor(
    memory,
    weights,
    name,
    { norm = null, stride = 1, dilation = 1, padding = 'zeros' } = {},
  ) {
    const tensor = weights.take(`${name}.weight`);
    const [outputs, channels, side, width] = tensor.shape;
    checkCount(width, side);
    checkCount(side % 2, 1);
    Object.assign(this, { outputs, channels, side, stride, dilation, memory });
    this.replicates = Number(padding === 'replicate');
    this.rows = Math.ceil(outputs / TOGETHER) * TOGETHER; // of the weights, some of which may be empty
    const own = weights.find(`${name}.bias`)?.values ?? new Float32Array(outputs);
    const { scale, shift } = norm ? normOf(weights, norm) : withoutNorm(outputs);
    for (const values of [own, scale]) checkCount(values.length, outputs);
    const bias = own.map((added, output) => added * scale[output] + shift[output]);
    this.weightsAt = laidOut(memory, tensor, scale, this.rows);
    this.biasAt = memory.put(padded(bias, this.rows));
  }

  /** The result for features x, of a size that only the stride makes smaller; with ``added`` features of its shape added,
   * and rectified, if wanted. */
  apply(x, { added = null, rectified = false } = {}) {
    const { memory, side, stride, dilation } = this;
    checkCount(x.channels, this.channels);
    const padding = ((side - 1) / 2) * dilation;
    const length = (all) =>
      Math.floor((all + 2 * padding - dilation * (side - 1) - 1) / stride) + 1;
    const [height, width] = [length(x.height), length(x.width)];
    const y = memory.features(this.rows, height, width);
    if (added) checkSame(added, { channels: this.outputs, height, width });
    const given = [x.at, x.channels, x.height, x.width];
    const own = [this.weightsAt, this.biasAt, this.rows, side, stride, padding, dilation];
    const ways = [this.replicates, Number(rectified), added?.at ?? 0];
    memory.within(() => {
      const panel = memory.room(this.channels * side * side * POSITIONS);
      memory.code.convolve(...given, ...own, ...ways, y.at, height, width, panel);
    });
    return { ...y, channels: this.outputs };
  }
}

const withoutNorm = (outputs) => ({
  scale: new Float64Array(outputs).fill(1),
  shift: new Float64Array(outputs),
});

/** Where a tensor of weights was laid out, each output scaled, by fours of outputs: (rows / 4, depth, 4). Throws a Fault for one
 * that holds what is no number. */
function laidOut(memory, { name, bytes, isHalf, shape: [outputs, ...window] }, scale, rows) {
  const depth = window.reduce((product, length) => product * length, 1);
  const at = memory.room(rows * depth);
  const last = (rows - TOGETHER) * depth;
  memory.view(at + 4 * last, TOGETHER * depth).fill(0); // the last outputs may be fewer than four
  const isFinite = memory.within(() => {
    const given = [memory.put(bytes), Number(isHalf), memory.put(scale)];
    return memory.code.lay_out(...given, outputs, depth, TOGETHER, at);
  });
  if (!isFinite) throw new Fault('fault_weights_not_finite', { name });
  return at;
}

/** The numbers, and zeros behind them. */
function padded(values, count) {
  const all = new Float32Array(count);
  all.set(values);
  return all;
}

// Batch norms of a network that is not trained any more: of each channel a scale and a shift.
import { checkCount } from './weights.js';

const EPSILON = 1e-5; // as PyTorch has it

/** {scale, shift} of the batch norm by this name, in double precision. */
export function normOf(weights, name) {
  const part = (key) => weights.get(`${name}.${key}`).values;
  const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
    part,
  );
  for (const values of [bias, mean, variance]) checkCount(values.length, weight.length);
  const scale = Float64Array.from(weight, (factor, channel) => {
    return factor / Math.sqrt(variance[channel] + EPSILON);
  });
  const shift = Float64Array.from(bias, (added, channel) => added - mean[channel] * scale[channel]);
  return { scale, shift };
}

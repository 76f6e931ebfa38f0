// Layers on vectors, which are small: plain JavaScript, in double precision until the result.
import { checkCount } from './weights.js';

/** The result of a fully connected layer by this name. */
export function linear(weights, name, values) {
  const { shape, values: factors } = weights.get(`${name}.weight`);
  const bias = weights.find(`${name}.bias`)?.values;
  const [outputs, inputs] = shape;
  checkCount(values.length, inputs);
  checkCount(factors.length, outputs * inputs);
  if (bias) checkCount(bias.length, outputs);
  const result = new Float32Array(outputs);
  for (let output = 0; output < outputs; output++) {
    let sum = bias ? bias[output] : 0;
    for (let input = 0; input < inputs; input++)
      sum += factors[output * inputs + input] * values[input];
    result[output] = sum;
  }
  return result;
}

/** All that is below zero becomes zero; NaN stays. */
export const rectified = (values) => values.map((value) => (value < 0 ? 0 : value));

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** A batch norm {scale, shift} of a vector. */
export function normed(values, { scale, shift }) {
  checkCount(values.length, scale.length);
  return values.map((value, channel) => value * scale[channel] + shift[channel]);
}

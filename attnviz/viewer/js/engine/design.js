// What a ResNet of attnviz.networks.ResNet consists of, from the architecture on its card (its config.json).
import { Fault } from './fault.js';

const COUNTS = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
};
const LEAST_BOTTLENECK = 50; // the depth from which on blocks have three convolutions

/** The stages of an architecture, lists of blocks: each its ``name``, its convolutions, [{name, norm, stride}], and what
 * brings its input to the same shape (``shortcut``, null where that is not needed). Throws a Fault for a depth that there is not. */
export function stagesOf({ depth }) {
  if (!(depth in COUNTS)) throw new Fault('fault_weights_of_another');
  const isBottleneck = depth >= LEAST_BOTTLENECK;
  return COUNTS[depth].map((count, stage) =>
    Array.from({ length: count }, (_, index) => {
      const name = `layer${stage + 1}.${index}`;
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const isShortened = stride > 1 || (isBottleneck && index === 0);
      return {
        name,
        convolutions: convolutionsOf(name, isBottleneck, stride),
        shortcut: isShortened
          ? { name: `${name}.downsample.0`, norm: `${name}.downsample.1`, stride }
          : null,
      };
    }),
  );
}

/** The stride stands in the 3 × 3 convolution, as in torchvision's. */
function convolutionsOf(name, isBottleneck, stride) {
  const strides = isBottleneck ? [1, stride, 1] : [stride, 1];
  return strides.map((step, index) => ({
    name: `${name}.conv${index + 1}`,
    norm: `${name}.bn${index + 1}`,
    stride: step,
  }));
}

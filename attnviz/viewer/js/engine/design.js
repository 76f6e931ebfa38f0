// What a ResNet of attnviz.networks.ResNet consists of.

/** The stages of an architecture, of the ``counts`` of whose blocks: each block its ``name``, its convolutions, [{name, norm,
 * stride}], and what brings its input to the same shape (``shortcut``, null where that is not needed). */
export function stagesOf({ counts, isBottleneck }) {
  return counts.map((count, stage) =>
    Array.from({ length: count }, (_, index) => {
      const name = `layer${stage + 1}.${index}`;
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const isReshaped = stride > 1 || (isBottleneck && index === 0);
      return {
        name,
        convolutions: convolutionsOf(name, isBottleneck, stride),
        shortcut: isReshaped
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

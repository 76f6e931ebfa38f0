// How a layer's gates came about: what is computed, in order.
import { bamFactor, joinedBranches } from '../numbers/factors.js';

/** The steps of a layer, each an array {key, values, height, width, grain}; a gate also has ``isGate`` and the
 * ``range`` that it can have; ``isSigned`` are steps around zero. BAM's last steps are those of ``channel``. */
export function stepsOf(layer, channel) {
  const computed = Object.fromEntries(layer.steps.map((step) => [step.name, step]));
  if (layer.kind === 'cbam') return cbamSteps(layer, computed);
  if (layer.channel_logits && layer.spatial_logits) return bamSteps(layer, computed, channel);
  return otherSteps(layer, computed);
}

function cbamSteps(layer, computed) {
  const channels = [
    step('average', computed.average),
    step('average_hidden', computed.average_hidden),
    step('average_logits', computed.average_logits),
    step('maximum', computed.maximum),
    step('maximum_hidden', computed.maximum_hidden),
    step('maximum_logits', computed.maximum_logits),
    gate('channel_gate', layer.channel, layer.limits),
  ];
  const positions = [
    step('mean_map', computed.mean_map),
    step('maximum_map', computed.maximum_map),
    step('spatial_logits', computed.spatial_logits),
    gate('spatial_gate', layer.map, layer.limits),
  ];
  const spatialFirst = layer.steps[0]?.name === 'mean_map';
  return (spatialFirst ? [positions, channels] : [channels, positions]).flat(2);
}

function bamSteps(layer, computed, channel) {
  return [
    step('squeezed', computed.squeezed),
    step('hidden', computed.hidden),
    signed('channel_branch', layer.channel_logits),
    signed('spatial_branch', layer.spatial_logits),
    channel === null ? [] : bamStepsOfChannel(layer, channel),
    gate('bam_mean_map', layer.map, layer.limits),
    gate('bam_mean_bars', layer.channel, layer.limits),
  ].flat();
}

function bamStepsOfChannel(layer, channel) {
  const branches = joinedBranches(layer, channel);
  const isProduct = layer.formula === 'bam product';
  return [
    isProduct ? signed('branch_product', branches) : signed('branch_sum', branches),
    gate('bam_factor', bamFactor(layer, channel), layer.limits),
  ].flat();
}

function otherSteps(layer, computed) {
  return [
    step('squeezed', computed.squeezed),
    step('hidden', computed.hidden),
    signed('channel_logits', computed.channel_logits),
    layer.shares ? gate('pooling', layer.map, layer.mapLimits) : [],
    gate('channel_gate', layer.channel, layer.limits),
    layer.spatial ? gate('spatial_gate', layer.map, layer.limits) : [],
  ].flat();
}

/** A list of one step, or of none if it was not computed. */
const step = (key, array, properties = {}) => (array ? [{ ...array, ...properties, key }] : []);
const signed = (key, array) => step(key, array, { isSigned: true });
const gate = (key, array, range) => step(key, array, { range, isGate: true });

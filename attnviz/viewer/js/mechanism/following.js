// What the drawings of a mechanism follow: the layer's diagram with the numbers of the shown channel and cell.
import { usePointed } from '../app/pointing.js';
import { h } from '../vendor/preact.js';
import { useEffect, useState } from '../vendor/preact-hooks.js';
import { featuresOf } from '../what/channel.js';
import { filled, spoken } from './formula.js';
import { isMap } from './picture.js';
import { numbersOf, openingCell, printedNumbers } from './node_numbers.js';

/** Everything that a diagram of ``viewer``'s layer shows: {diagram, known, numbers, channel, cell, inputs}; null without
 * a layer. ``known`` and ``numbers`` are as node_numbers.js gives them; they are those of what is pointed at, if that is to be
 * followed. */
export function useMechanism(viewer, layer, followsPointer = true) {
  const { state, trace } = viewer;
  const [pointedChannel, pointedCell] = [
    usePointed(viewer, 'channel'),
    usePointed(viewer, 'cell'),
  ].map((pointed) => (followsPointer ? pointed : null));
  const channel = pointedChannel ?? state.channel;
  const features = useFeatures(viewer, layer, channel);
  const cell = pointedCell ?? state.pin ?? openingCell(layer);
  const asItIs = trace.diagrams[layer.diagram];
  const diagram = viewer.tools?.markedDiagram(viewer, layer, asItIs, { channel, cell }) ?? asItIs;
  const known = numbersOf(layer, diagram, channel, features);
  const numbers = printedNumbers(diagram, known, channel, cell);
  const inputs = [trace.id, layer.name, Boolean(features)];
  return { diagram, known, numbers, channel, cell, inputs };
}

/** The chosen channel's features before the gate, an array (h, w); null while they are not here, or of a channel that is only
 * pointed at. */
function useFeatures(viewer, layer, channel) {
  const { state, host, trace } = viewer;
  const key = [trace.id, layer.name, channel].join();
  const [answer, setAnswer] = useState({});
  const isAsked =
    Boolean(host.features) &&
    layer.formula !== 'none' &&
    channel !== null &&
    channel === state.channel;
  useEffect(() => {
    let isWanted = isAsked;
    if (isAsked)
      featuresOf(viewer, layer, channel).then(
        ({ before }) => isWanted && setAnswer({ key, before }),
        () => {}, // the channel's own figures say why
      );
    return () => {
      isWanted = false;
    };
  }, [key, isAsked]);
  return answer.key === key ? answer.before : null;
}

/** One line on a node, in words. */
export function lineOf({ say }, node) {
  return say(node.words, { name: node.name ?? '' });
}

/** A node in one text: its line, its formula and its numbers, for those who can't see them. */
export function nodeLabel(viewer, node, { numbers }) {
  const { text } = numbers(node.key);
  const formula = spoken(node.example ? filled(node.example, numbers) : node.formula);
  const edited = node.isEdited && viewer.say('edit_node');
  return [lineOf(viewer, node), edited, formula, node.example ? '' : (text ?? '')]
    .filter(Boolean)
    .join(' · ');
}

/** Where the numbers are those of: the channel and the cell, in words. */
export function Whose({ viewer, mechanism: { channel, cell, known } }) {
  const { say } = viewer;
  const hasCells = [...known.values()].some((numbers) => numbers && isMap(numbers));
  const words = [
    channel !== null && say('channel_number', { channel }),
    hasCells && cell && say('cell_number', { row: cell[0] + 1, column: cell[1] + 1 }),
  ];
  return h('span', { class: 'av-whose' }, words.filter(Boolean).join(' · '));
}

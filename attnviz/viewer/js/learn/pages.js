// The pages of the lesson, in order.
//
// A page has a ``name``, which stands in its address and begins its words (learn_NAME_title, _text, _ask, _why); the
// ``kinds`` of networks that it can be shown in, the best first; and
// - ``fits(layer, trace)``: whether it can speak of this layer;
// - ``choose(trace)``: the state that it wants, of a trace with layers that fit;
// - ``parts``: selectors of what it marks, the first of which is brought into sight;
// - ``formulas``: [node's key, or what finds it in a diagram; 'formula' or 'example'] of the layer's diagram;
// - ``ask(viewer, layer)``: its question, answered from the numbers that are shown: {values, choices, right}, ``values``
//   being those of its words, and keys of what else there is to say: ``also`` after the text, ``more`` after the answer.
// ``isOnOutsider``: it asks for a photo that none of the network's classes fits; ``example``: for the example of this name.
// ``edits``: what it changes of the gates of a network that comes with attnviz; absent for nothing.
import { bamPage } from './bam.js';
import { edgesPage, mapPage, poolsPage } from './cbam.js';
import { depthPage, readingPage } from './network.js';
import { againstPage, allLayersPage, idlePage, oneLayerPage } from './what_if.js';
import { effectPage, excitationPage, gatePage, squeezePage } from './se.js';

export const PAGES = [
  gatePage,
  squeezePage,
  excitationPage,
  effectPage,
  poolsPage,
  mapPage,
  edgesPage,
  bamPage,
  depthPage,
  readingPage,
  idlePage,
  againstPage,
  oneLayerPage,
  allLayersPage,
];

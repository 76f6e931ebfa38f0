// The button that begins the lesson, and ends it.
import { partOf } from '../app/later.js';
import { Button } from '../controls/controls.js';
import { h } from '../vendor/preact.js';

/** The button of ``viewer``, where there is a page to show. */
export function LearnButton({ viewer }) {
  const { say, state } = viewer;
  if (!hasLesson(viewer)) return null;
  const properties = {
    class: `av-button${state.learn ? ' av-primary' : ''}`,
    'data-learn': '',
    'aria-pressed': String(Boolean(state.learn)),
    title: say('lesson_hint'),
    onClick: () => toggle(viewer),
  };
  return h(Button, properties, say('learn'));
}

/** Begin the lesson, or end it. */
export async function toggle(viewer) {
  const lesson = await partOf(viewer, 'lesson');
  await lesson?.toggleLesson(viewer);
}

const KINDS = ['se', 'cbam', 'bam'];

/** Whether a network that it speaks of is on the screen, was seen, or comes with attnviz. */
function hasLesson({ trace, captures, networks }) {
  const isTold = ({ kind, formula }) => KINDS.includes(kind) && formula !== 'none';
  if ([trace, ...captures.all()].some(({ layers }) => layers.some(isTold))) return true;
  return networks.some(
    ({ group, attention, isReady }) => group === 'embedded' && isReady && KINDS.includes(attention),
  );
}

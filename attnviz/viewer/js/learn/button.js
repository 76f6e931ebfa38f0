// The button that begins the lesson, and ends it.
import { Button } from '../controls/controls.js';
import { h } from '../vendor/preact.js';
import { hasLesson, toggleLesson } from './lesson.js';

/** The button of ``viewer``, where there is a page to show. */
export function LearnButton({ viewer }) {
  const { say, state } = viewer;
  if (!hasLesson(viewer)) return null;
  const properties = {
    class: `av-button${state.learn ? ' av-primary' : ''}`,
    'data-learn': '',
    'aria-pressed': String(Boolean(state.learn)),
    title: say('learn_hint'),
    onClick: () => toggleLesson(viewer),
  };
  return h(Button, properties, say('learn'));
}

// "How to read this": a dialog with the questions that people ask.
import { fill, h, withStrong } from './dom.js';

export const QUESTIONS = ['gradcam', 'half', 'small', 'edges', 'which', 'class'];

/** The dialog of ``viewer``: {element, open}. */
export function help(viewer) {
  const title = h('h2');
  const body = h('div', { class: 'av-prose' });
  const close = h('button', { type: 'button', class: 'av-button av-primary' });
  const foot = h('form', { method: 'dialog' }, close);
  const element = h('dialog', { class: 'av-help' }, title, body, foot);
  close.addEventListener('click', () => element.close());

  function open() {
    const { say } = viewer;
    title.textContent = say('help');
    element.setAttribute('aria-label', say('help'));
    close.textContent = say('close');
    const answers = QUESTIONS.flatMap((name) => [
      h('h3', {}, say(`ask_${name}`)),
      h('p', {}, withStrong(say(`answer_${name}`))),
    ]);
    fill(body, answers);
    element.showModal();
  }

  return { element, open };
}

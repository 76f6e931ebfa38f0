// The lesson beside the page: what is to be seen, a question, and its answer.
import { withStrong } from '../app/words.js';
import { Button } from '../controls/controls.js';
import { useMechanism } from '../mechanism/following.js';
import { Formula } from '../mechanism/formula.js';
import { h } from '../vendor/preact.js';
import { useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact-hooks.js';
import { useLessonKeys } from './keys.js';
import { closeLesson, isFitting, neighbour, openPage, pagesOf } from './lesson.js';
import { keepInSight, useMarks } from './marks.js';

/** The lesson of ``viewer``, if it is open. */
export function Lesson({ viewer }) {
  const { learn } = viewer.state;
  const pages = learn ? pagesOf(viewer) : [];
  const page = pages.find(({ name }) => name === learn);
  return page ? h(LessonPanel, { viewer, page, pages }) : null;
}

function LessonPanel({ viewer, page, pages }) {
  const { say, state, trace } = viewer;
  const panel = useRef(null);
  const [answers, setAnswers] = useState({}); // to what was asked: the place of the choice
  const layer = isFitting(viewer, page) ? viewer.layer() : null;
  const question = layer && page.ask(viewer, layer);
  const asked = [page.name, trace.id, layer?.name, state.channel, state.pin].join();
  const answered = answers[asked] ?? null;
  const answer = (choice) =>
    question?.choices[choice] !== undefined &&
    setAnswers((before) => (asked in before ? before : { ...before, [asked]: choice }));
  const move = (step) => {
    const other = neighbour(viewer, step);
    if (other) openPage(viewer, other.name);
  };
  const close = () => closeLesson(viewer);
  useRoom(viewer);
  useMarks(layer ? page.parts : []);
  useFocus(viewer, panel, page);
  useLessonKeys(viewer, panel, { move, answer, close });
  const place = pages.indexOf(page);
  useAnswerInSight(panel, answers);
  return h(
    'div',
    { class: 'av-lesson', role: 'dialog', 'aria-label': say('learn_label'), ref: panel },
    h(Head, { viewer, place, count: pages.length, onClose: close }),
    h(
      'div',
      { class: 'av-lesson-page', key: page.name },
      h('h2', { tabIndex: -1 }, say(`learn_${page.name}_title`)),
      question
        ? h(Content, { viewer, page, layer, question, answered, onAnswer: answer })
        : h(Elsewhere, { viewer, page }),
    ),
    h(
      'div',
      { class: 'av-lesson-foot' },
      h(Button, { 'data-back': '', disabled: place === 0, onClick: () => move(-1) }, say('back')),
      place < pages.length - 1
        ? h(Button, { ...PRIMARY, 'data-next': '', onClick: () => move(1) }, say('next'))
        : h(Button, { ...PRIMARY, 'data-done': '', onClick: close }, say('done')),
    ),
  );
}

const SHORT = 10; // letters, of choices that stand beside each other
const isShort = (text) => text.length <= SHORT;
const PRIMARY = { class: 'av-button av-primary' };

/** The page gives way to the lesson. */
function useRoom({ element }) {
  useLayoutEffect(() => {
    element.classList.add('av-learning');
    return () => element.classList.remove('av-learning');
  }, [element]);
}

/** The focus is on each page's title, which is read out then; at the end it goes back to where it was. */
function useFocus({ element }, panel, page) {
  useLayoutEffect(() => {
    const from = document.activeElement;
    return () => {
      const others = ['[data-learn]', '.av-tools-opener'].map((each) =>
        element.querySelector(each),
      );
      const places = [from, ...others].filter(
        (each) => each?.isConnected && each.checkVisibility(),
      );
      places.find((each) => each !== document.body)?.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    panel.current.querySelector('h2').focus({ preventScroll: true });
    return keepInSight(element, page.parts, panel.current);
  }, [page.name]);
}

/** With each of the ``answers`` what it tells is brought into sight, within the panel. */
function useAnswerInSight(panel, answers) {
  useEffect(() => {
    panel.current
      .querySelector('.av-answered > p')
      ?.parentElement.scrollIntoView({ block: 'nearest' });
  }, [answers]);
}

function Head({ viewer: { say }, place, count, onClose }) {
  const share = `${(100 * (place + 1)) / count}%`;
  return h(
    'div',
    { class: 'av-lesson-head' },
    h('span', { class: 'av-lesson-place' }, say('learn_place', { number: place + 1, count })),
    h(
      'span',
      { class: 'av-lesson-course', 'aria-hidden': 'true' },
      h('span', { style: { width: share } }),
    ),
    h(
      'button',
      { type: 'button', class: 'av-close', 'aria-label': say('close'), onClick: onClose },
      '✕',
    ),
  );
}

/** The page's text, its formulas, its question, and the answer once one was chosen. */
function Content({ viewer, page, layer, question, answered, onAnswer }) {
  const { say } = viewer;
  const { values, also } = question;
  const paragraphs = say(`learn_${page.name}_text`, values).split('\n');
  return [
    paragraphs.map((text) => h('p', {}, withStrong(text))),
    also && h('p', {}, withStrong(say(also, values))),
    page.formulas.length > 0 && h(Formulas, { viewer, layer, formulas: page.formulas }),
    h(
      'div',
      { class: 'av-question', role: 'group', 'aria-labelledby': 'av-question' },
      h('p', { id: 'av-question' }, withStrong(say(`learn_${page.name}_ask`, values))),
      h(
        'div',
        { class: `av-choices${question.choices.every(isShort) ? ' av-beside' : ''}` },
        h(Choices, { question, answered, onAnswer }),
      ),
    ),
    h(
      'div',
      { class: 'av-answered', 'aria-live': 'polite' },
      answered !== null && h(Answer, { viewer, page, question, answered }),
    ),
  ];
}

/** Formulas of the layer's diagram, some of them with numbers. */
function Formulas({ viewer, layer, formulas }) {
  const { diagram, numbers } = useMechanism(viewer, layer, false); // as the text has them
  const lines = formulas.map(([key, form]) => {
    const wanted = typeof key === 'function' ? key(diagram) : key;
    const tree = diagram.nodes.find((node) => node.key === wanted)?.[form];
    const filled = form === 'example' ? numbers : undefined;
    return tree && h('p', {}, h(Formula, { tree, numbers: filled }));
  });
  return h('div', { class: 'av-lesson-formulas' }, lines);
}

function Choices({ question: { choices, right }, answered, onAnswer }) {
  const isOver = answered !== null;
  const outcome = (place) => {
    if (!isOver) return '';
    if (place === right) return ' av-right';
    return place === answered ? ' av-wrong' : '';
  };
  const signs = { ' av-right': '✓', ' av-wrong': '✗' };
  return choices.map((text, place) =>
    h(
      'button',
      {
        key: text,
        type: 'button',
        class: `av-answer-choice${outcome(place)}`,
        'data-choice': place + 1,
        'aria-disabled': String(isOver),
        'aria-pressed': String(place === answered),
        onClick: () => onAnswer(place),
      },
      h('kbd', {}, signs[outcome(place)] ?? place + 1),
      h('span', {}, text),
    ),
  );
}

/** Whether that was right, and why. */
function Answer({ viewer: { say }, page, question, answered }) {
  const { values, right, more } = question;
  const isRight = answered === right;
  const verdict = isRight ? say('learn_right') : say('learn_wrong', { number: right + 1 });
  return [
    h('p', {}, h('strong', {}, verdict), ' ', withStrong(say(`learn_${page.name}_why`, values))),
    more && h('p', {}, withStrong(say(more, values))),
  ];
}

/** What is shown is not what the page speaks of, and the way back. */
function Elsewhere({ viewer, page }) {
  const { say } = viewer;
  return [
    h('p', {}, say('learn_elsewhere')),
    h(Button, { 'data-show': '', onClick: () => openPage(viewer, page.name) }, say('learn_show')),
  ];
}

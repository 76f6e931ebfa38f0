// Above the panels: the photo and the network, what the photo is most like, the tabs, the tools, and what was done.
import { changes } from './changes.js';
import { fill, h } from './dom.js';
import { percent } from './format.js';
import { ENGLISH } from './languages.js';
import { tabButtons } from './tabs.js';
import { toolButtons } from './tools.js';

const IMAGENET = 1000; // classes

/** The header of ``viewer``: {elements, draw}. */
export function header(viewer, guide, help) {
  const heading = h('div', { class: 'av-heading' });
  const answers = h('div', { class: 'av-answers', 'data-guide': 'says' });
  const tabs = h('div', { class: 'av-tabs', role: 'tablist' });
  const tools = h('div', { class: 'av-tools' });
  const status = statusLine(viewer);
  const changed = changes();

  function draw() {
    const { trace, language, state } = viewer;
    if (changed('top', trace.id, language, state.tab)) {
      fill(heading, headingOf(viewer));
      fill(answers, answersOf(viewer));
      answers.hidden = !trace.top.length;
      fill(tabs, tabButtons(viewer, tabs));
      fill(tools, toolButtons(viewer, guide, help, status.tell));
    }
    status.draw();
  }

  const top = h('div', { class: 'av-top' }, heading, answers);
  const bar = h('div', { class: 'av-bar-row' }, tabs, tools);
  return { elements: [top, bar, status.element], draw };
}

/** A line that says what was done in this view: {element, draw, tell}. */
function statusLine(viewer) {
  const element = h('p', { class: 'av-note', role: 'status' });
  let note = null;
  const view = () => [viewer.state.tab, viewer.trace.id].join();

  /** Say {key, values}, which follows the language, or {text}, which can't. */
  function tell(words) {
    note = { ...words, view: view(), language: viewer.language };
    draw();
  }

  function draw() {
    if (note && (note.view !== view() || (note.text && note.language !== viewer.language)))
      note = null;
    const text = note ? (note.text ?? viewer.say(note.key, note.values)) : '';
    if (element.textContent !== text) element.textContent = text; // it is read out whenever it is set
  }

  return { element, draw, tell };
}

function headingOf({ say, trace, host, language }) {
  const { asked, photo, seen, network, remarks } = trace;
  const [height, width] = seen.size;
  const name = asked.example ? say('example', { photo: photo.name }) : photo.name;
  const size = say(seen.whole ? 'sees_whole' : 'sees_crop', {
    network: network.title,
    width,
    height,
  });
  const forced = seen.forced ? ` ${say('sees_forced')}` : '';
  const drop = asked.example && host ? ` ${say('drop')}` : '';
  const note = h('p', { class: 'av-note' }, size, forced, drop);
  const known = h('p', { class: 'av-note' }, classesText(say, network));
  const remarked = remarks.map((sentences) => sentences[language] ?? sentences[ENGLISH]);
  const remarkLines = remarked.map((text) => h('p', { class: 'av-note av-remark' }, text));
  return [h('h2', {}, name), note, known, ...remarkLines];
}

/** Which classes a network knows, and how often it is right. */
function classesText(say, network) {
  const { classes, labels, accuracy } = network;
  if (!classes) return '';
  const known = classes === IMAGENET ? 'knows_imagenet' : 'knows';
  const key = labels.length ? 'knows_these' : known;
  const text = say(key, { count: classes, labels: labels.join(', ') });
  return accuracy ? `${text} ${say('knows_right', { share: percent(accuracy, 1) })}` : text;
}

/** The classes that the photo is most like, with bars; drawn timidly, with a sentence on it, where they are doubtful. */
function answersOf({ say, trace, language }) {
  const items = trace.top.map(([label, share]) => {
    const text = percent(share, 1);
    const bar = h('span', { class: 'av-share', style: { width: text } });
    const name = h('span', { class: 'av-label' }, label);
    return h('li', {}, bar, name, h('span', { class: 'av-number' }, text));
  });
  const list = h('ol', { class: trace.doubt?.doubtful ? 'av-top5 av-timid' : 'av-top5' }, items);
  return [h('h3', {}, answersTitle(say, trace.network)), list, doubtNote(trace, language)];
}

/** That the answer is the most like among so many classes. */
function answersTitle(say, { classes }) {
  if (classes === IMAGENET) return say('most_like_imagenet');
  if (!classes) return say('most_like_unknown');
  const word = say('counts').split(' ')[classes - 2]; // the first is for two
  return say('most_like', { count: word ?? classes.toLocaleString('en') });
}

/** What is to be said of an answer that is doubtful; nothing of others. */
function doubtNote({ doubt }, language) {
  if (!doubt?.doubtful) return null;
  return h('p', { class: 'av-note av-doubt' }, doubt.said[language] ?? doubt.said[ENGLISH]);
}

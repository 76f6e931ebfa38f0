// The tools: which trace of a file, saving, a link, the guide, help, the language of a file.
import { button, choice } from './controls.js';
import { followingLanguage } from './languages.js';

/** What the host offers as buttons; ``tell`` says how it went. */
export function toolButtons(viewer, guide, help, tell) {
  const { say, host } = viewer;
  return [
    !host && viewer.traces.length > 1 && traceChoice(viewer),
    host?.save && saveButton(viewer, 'screen', tell),
    host?.save && saveButton(viewer, 'all', tell),
    host?.link && linkButton(viewer, tell),
    button(say('guide'), () => guide.start()),
    button(say('help'), () => help.open()),
    !host && languageButton(viewer),
  ];
}

/** Which of the traces in a file is shown. */
function traceChoice(viewer) {
  const options = viewer.traces.map(({ id, photo, network }) => [
    String(id),
    `${photo.name} · ${network.title}`,
  ]);
  const onChange = (id) => viewer.choose(viewer.traces.find((trace) => String(trace.id) === id));
  const properties = { 'data-control': 'capture' };
  return choice(viewer.say('photo'), options, String(viewer.trace.id), onChange, properties);
}

/** Saves what is on the screen, or all there is. */
function saveButton(viewer, what, tell) {
  const onClick = async ({ target }) => {
    target.disabled = true;
    tell({ key: 'saving' });
    try {
      await viewer.host.save(what, viewer);
      tell({ key: 'saved' });
    } catch (error) {
      tell(error?.told ? { text: error.message } : { key: 'lost' });
    }
    target.disabled = false;
  };
  return button(viewer.say(`save_${what}`), onClick, { 'data-save': what });
}

function linkButton(viewer, tell) {
  const onClick = async () => {
    tell(await viewer.host.link(viewer));
  };
  return button(viewer.say('link'), onClick, { 'data-link': '' });
}

function languageButton(viewer) {
  const other = followingLanguage(viewer.language);
  return button(LANGUAGES[other].name, () => viewer.speak(other));
}

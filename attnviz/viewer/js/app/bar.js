// The top of the page: what this is, and what can be done with all of it.
import { Button } from '../controls/controls.js';
import { Menu } from '../controls/menu.js';
import { h } from '../vendor/preact.js';
import { followingLanguage } from './languages.js';
import { ModeButtons } from '../compare/tabs.js';
import { Tools } from './tools.js';

/** The bar of ``viewer``; ``onHelp`` and ``onGuide`` open these. */
export function Bar({ viewer, onHelp, onGuide }) {
  const { say, host } = viewer;
  const isDark = viewer.theme.name() === 'dark';
  const other = followingLanguage(viewer.language);
  const { tag } = LANGUAGES[other];
  return h(
    'header',
    { class: 'av-bar' },
    h('h1', {}, 'attnviz'),
    h('p', { class: 'av-claim' }, say('heading')),
    h(
      Tools,
      { viewer },
      h(ModeButtons, { viewer }),
      h(Button, { onClick: onGuide, 'data-guide-start': '' }, say('tour')),
      h(Button, { onClick: onHelp, 'data-help': '' }, say('help_short')),
      host.save && h(SaveMenu, { viewer }),
      host.link && h(Button, { onClick: viewer.copyLink, 'data-link': '' }, say('link')),
      h(
        Button,
        {
          class: 'av-button av-sign',
          'data-theme': '',
          'aria-label': say(isDark ? 'theme_light' : 'theme_dark'),
          title: say(isDark ? 'theme_light' : 'theme_dark'),
          onClick: viewer.theme.toggle,
        },
        '◐',
      ),
      h(
        Button,
        { 'data-language': other, lang: tag, onClick: () => viewer.speak(other) },
        LANGUAGES[other].name,
      ),
    ),
  );
}

function SaveMenu({ viewer }) {
  const { say } = viewer;
  const item = (what, close) => {
    const onClick = () => {
      close();
      viewer.save(what);
    };
    return h(Button, { 'data-save': what, onClick }, say(`save_${what}`));
  };
  return h(Menu, { name: 'save', label: say('save'), side: 'end' }, (close) => [
    item('screen', close),
    item('all', close),
    h('p', { class: 'av-note' }, say('save_note')),
  ]);
}

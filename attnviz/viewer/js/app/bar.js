// The top of the page: what this is, and what can be done with all of it.
import { Button } from '../controls/controls.js';
import { h } from '../vendor/preact.js';
import { followingLanguage } from './languages.js';
import { ModeButtons } from '../compare/tabs.js';
import { LearnButton } from '../learn/button.js';
import { SaveMenu } from '../save/menu.js';
import { ShareMenu } from '../share/menu.js';
import { Tools } from './tools.js';

/** The bar of ``viewer``; ``onHelp`` and ``onPaper`` open these. */
export function Bar({ viewer, onHelp, onPaper }) {
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
      h(LearnButton, { viewer }),
      h(Button, { onClick: onHelp, 'data-help': '' }, say('help_short')),
      host.save && h(SaveMenu, { viewer, onPaper }),
      host.link && h(ShareMenu, { viewer }),
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

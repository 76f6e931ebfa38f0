// The whole app: bar, photos and networks, strip, cards, mechanism; or a comparison.
import { AnswerCard } from '../answer/card.js';
import { NetworksComparison } from '../compare/networks.js';
import { PhotosComparison } from '../compare/photos.js';
import { MechanismPanel } from '../mechanism/panel.js';
import { NetworkChoice } from '../networks/choice.js';
import { Present } from '../present/present.js';
import { DropTarget } from '../photos/drop.js';
import { PhotoRow } from '../photos/row.js';
import { hasPaper } from '../save/menu.js';
import { PaperDialog } from '../save/paper.js';
import { Strip } from '../strip/strip.js';
import { Embed } from '../share/embed.js';
import { h } from '../vendor/preact.js';
import { useRef } from '../vendor/preact-hooks.js';
import { Gallery } from '../what/gallery.js';
import { WhatCard } from '../what/card.js';
import { WhereCard } from '../where/card.js';
import { Bar } from './bar.js';
import { Help } from './help.js';
import { Keys } from './keys.js';
import { Notice, Waiting } from './notice.js';

/** All of ``viewer``; before there is a trace only the bar. */
export function Root({ viewer }) {
  const help = useRef(null);
  const paper = useRef(null);
  if (!viewer.trace) return h(Opening, { viewer });
  if (viewer.isEmbedded) return h(Embed, { viewer });
  return [
    viewer.state.tab === 'explore' &&
      h('a', { class: 'av-skip', href: '#av-where' }, viewer.say('skip')),
    h(Bar, {
      viewer,
      onHelp: () => help.current.showModal(),
      onPaper: () => paper.current.showModal(),
    }),
    h('div', { class: 'av-choosing' }, h(PhotoRow, { viewer }), h(NetworkChoice, { viewer })),
    h(Waiting, { viewer }),
    h(Explorer, { viewer }),
    viewer.lesson && h(viewer.lesson.Lesson, { viewer }),
    h(Present, { viewer }),
    h(Notice, { viewer }),
    h(DropTarget, { viewer }),
    h(Help, { viewer, dialog: help }),
    hasPaper(viewer) && h(PaperDialog, { viewer, dialog: paper }),
    h(Keys, { viewer, help }),
  ];
}

function Opening({ viewer }) {
  const { say, notice } = viewer;
  return [
    h('header', { class: 'av-bar' }, h('h1', {}, 'attnviz'), h('p', {}, say('heading'))),
    notice ? h(Notice, { viewer }) : h('p', { class: 'av-note', role: 'status' }, say('waiting')),
  ];
}

/** The strip, and below it one trace, or what is compared. */
function Explorer({ viewer }) {
  const isExploring = viewer.state.tab === 'explore';
  return h(
    'div',
    { class: 'av-explore' },
    h(Strip, { viewer }),
    isExploring && viewer.tools && h(viewer.tools.Stairs, { viewer }),
    isExploring && h(Cards, { viewer }),
    h(NetworksComparison, { viewer }),
    h(PhotosComparison, { viewer }),
  );
}

/** One trace: three cards, and how the chosen layer computes its gates. */
function Cards({ viewer }) {
  return [
    h(
      'div',
      { class: 'av-cards' },
      h(WhereCard, { viewer }),
      h(WhatCard, { viewer }),
      h(AnswerCard, { viewer }),
    ),
    h(Gallery, { viewer }),
    h(MechanismPanel, { viewer }),
  ];
}

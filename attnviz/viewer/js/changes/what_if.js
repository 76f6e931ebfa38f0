// The button that begins to change gates, and what has to be told where gates may be changed.
import { Button } from '../controls/controls.js';
import { percent } from '../numbers/format.js';
import { h } from '../vendor/preact.js';
import { canChange } from './edits.js';

/** A class's share before and now; ``place`` is that among the most probable now. */
export function shareText({ trace: { change } }, share, place) {
  const before = change?.sharesBefore?.[place] ?? null;
  const now = percent(share, 1);
  return before === null ? now : `${percent(before, 1)} → ${now}`;
}

/** The button that shows the strip's switches, where gates can be changed. */
export function WhatIfButton({ viewer }) {
  const { say, state, trace } = viewer;
  if (!canChange(viewer) || !trace.layers.some(({ formula }) => formula !== 'none')) return null;
  return h(
    Button,
    {
      class: `av-button${state.switches ? ' av-primary' : ''}`,
      'data-what-if': '',
      'aria-pressed': String(state.switches),
      title: say('what_if_hint'),
      onClick: () => viewer.set({ switches: !state.switches }),
    },
    say('what_if'),
  );
}

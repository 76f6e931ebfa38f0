// What the page shows: one photo in one network, networks beside each other, or photos.
import { h } from '../vendor/preact.js';

/** A button for each; none where there is nothing to compare. */
export function ModeButtons({ viewer }) {
  const { say, set, state } = viewer;
  const names = ['explore'];
  if (viewer.networks.filter(({ isReady }) => isReady).length > 1) names.push('networks');
  if (viewer.photos().length > 1) names.push('photos');
  if (names.length === 1) return null;
  const buttons = names.map((name) => {
    const onClick = () => set({ tab: name });
    const properties = {
      type: 'button',
      class: 'av-segment',
      'aria-pressed': String(state.tab === name),
    };
    return h(
      'button',
      { ...properties, 'data-control': `tab-${name}`, onClick },
      say(`tab_${name}`),
    );
  });
  return h('div', { class: 'av-modes', role: 'group', 'aria-label': say('modes') }, buttons);
}

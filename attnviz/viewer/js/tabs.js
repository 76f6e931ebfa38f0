// The tabs: one trace explored, networks compared, photos compared.
import { h } from './dom.js';

/** A button for each tab in ``list``; none where there is nothing to compare. */
export function tabButtons(viewer, list) {
  if (!viewer.host?.capture) return [];
  const names = ['explore', 'networks', 'photos'];
  const onKey = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const place = names.indexOf(viewer.state.tab) + step + names.length;
    viewer.set({ tab: names[place % names.length] });
    list.querySelector('[aria-selected=true]').focus();
  };
  return names.map((name) => tabButton(viewer, name, onKey));
}

function tabButton({ say, set, state }, name, onKey) {
  const isSelected = state.tab === name;
  const properties = {
    type: 'button',
    role: 'tab',
    class: 'av-tab',
    'aria-selected': String(isSelected),
    tabindex: isSelected ? 0 : -1,
    'data-control': `tab-${name}`,
    on: { click: () => set({ tab: name }), keydown: onKey },
  };
  return h('button', properties, say(`tab_${name}`));
}

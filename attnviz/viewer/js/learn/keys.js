// Keys of the lesson, wherever the focus is but in what has keys of its own.
import { useLayoutEffect } from '../vendor/preact-hooks.js';

const OTHERS =
  'input, select, textarea, dialog, [role=slider], [role=option], [role=tab], .av-menu, .av-node, .av-notice';
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const REMOTE = { PageUp: -1, PageDown: 1 }; // as the remote controls of lecturers send it

/** Listen for keys: arrows ``move`` by a page, digits ``answer``, Escape ends it with ``close``. */
export function useLessonKeys(viewer, panel, { move, answer, close }) {
  useLayoutEffect(() => {
    const onKey = (event) => {
      const { key, target, altKey, ctrlKey, metaKey } = event;
      if (altKey || ctrlKey || metaKey || viewer.state.present) return;
      if (target.closest?.(OTHERS)) return;
      const steps = panel.current?.contains(target) ? { ...STEPS, ...REMOTE } : STEPS;
      if (key in steps) move(steps[key]);
      else if (key === 'Escape') close();
      else if (!/^[1-9]$/.test(key)) return;
      else answer(Number(key) - 1);
      event.preventDefault(); // the page has other uses of digits
    };
    document.addEventListener('keydown', onKey, true);
    return () => document.removeEventListener('keydown', onKey, true);
  });
}

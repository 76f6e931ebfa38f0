// What a part of the page asks of the host when it comes, and gives up when it goes.
import { percent } from '../numbers/format.js';
import { h } from '../vendor/preact.js';
import { useEffect, useState } from '../vendor/preact-hooks.js';

/** {answer, wait}: what ``ask({signal, report})`` gives, null before that, and what is shown until then: how far it is, or what
 * went wrong. Nothing is asked where the answer is ``known``. */
export function useAsked(viewer, ask, known = null) {
  const [answer, setAnswer] = useState(known);
  const [progress, setProgress] = useState(null); // {done, total}
  const [error, setError] = useState(null);
  useEffect(() => {
    if (answer) return null;
    const abort = new AbortController();
    const { signal } = abort;
    ask({ signal, report: setProgress }).then(
      (given) => !signal.aborted && setAnswer(given),
      (reason) => !signal.aborted && setError(reason),
    );
    return () => abort.abort();
  }, []);
  const share = progress?.total ? ` ${percent(Math.min(1, progress.done / progress.total))}` : '';
  const text = error ? viewer.errorText(error) : viewer.say('waiting') + share;
  return {
    answer,
    wait: h('p', { class: error ? 'av-trouble' : 'av-note', role: 'status' }, text),
  };
}

// The page in somebody else's: the map and the strip, nothing else.
import { titleOf } from '../changes/edits.js';
import { Strip } from '../strip/strip.js';
import { h } from '../vendor/preact.js';
import { WhereCard } from '../where/card.js';

const PARAMETER = 'embed';
const SIZE = [680, 640]; // px, of the frame

/** Whether an address asks for the map and the strip only. */
export function isEmbedded(address) {
  return new URL(address).searchParams.get(PARAMETER) === '1';
}

/** The HTML of a frame that shows what is at an address. */
export function embedCode(address, title) {
  const url = new URL(address);
  url.searchParams.set(PARAMETER, '1');
  const [width, height] = SIZE;
  const size = `width="${width}" height="${height}"`;
  const look = 'style="border:0;max-width:100%"';
  const source = url.href.replaceAll('&', '&amp;');
  return `<iframe src="${source}" ${size} ${look} loading="lazy" title="${title}"></iframe>`;
}

/** The map and the strip of ``viewer``, and a link to the page. */
export function Embed({ viewer }) {
  const { say, trace } = viewer;
  const url = new URL(location.href);
  url.searchParams.delete(PARAMETER);
  return h(
    'div',
    { class: 'av-explore av-embed' },
    h(Strip, { viewer }),
    h(WhereCard, { viewer }),
    h(
      'p',
      { class: 'av-note av-embed-link' },
      `${titleOf(say, trace)} · ${trace.photo.name} · `,
      h('a', { href: url.href, target: '_blank', rel: 'noopener' }, say('embed_more')),
    ),
  );
}

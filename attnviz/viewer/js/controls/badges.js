// Badges: a word on a small picture, and a line that explains it.
import { withStrong } from '../app/words.js';
import { THRESHOLDS } from '../numbers/badges.js';
import { digits, percent } from '../numbers/format.js';
import { h } from '../vendor/preact.js';

/** The first badge of a ``part`` of a layer, 'map' or 'channels', as a word to lie on its picture; nothing without one. */
export function BadgeWord({ viewer: { say }, layer, part }) {
  const badge = layer.badges.find((one) => one.part === part);
  if (!badge) return null;
  const title = plainText(badgeText(say, badge));
  return h(
    'span',
    { class: 'av-badge', 'data-badge': badge.kind, title },
    say(`badge_${badge.kind}`),
  );
}

/** A line for each badge of a ``part`` of a layer. */
export function BadgeLines({ viewer: { say }, layer, part }) {
  const badges = layer.badges.filter((one) => one.part === part);
  return badges.map((badge) =>
    h(
      'p',
      { key: badge.kind, class: 'av-note av-remark', 'data-badge': badge.kind },
      withStrong(badgeText(say, badge)),
    ),
  );
}

/** What the badges of a layer say, as plain text; empty without any. */
export function badgesInWords(say, { badges }) {
  return badges.map((badge) => plainText(badgeText(say, badge))).join(' ');
}

function badgeText(say, { part, kind, value, least, greatest, share, low, high, sides, ...edge }) {
  return say(`${part}_${kind}`, {
    value: digits(value ?? NaN),
    least: digits(least ?? NaN),
    greatest: digits(greatest ?? NaN),
    share: percent(share ?? NaN),
    near: THRESHOLDS.near,
    low,
    high,
    sides: sides?.map((side) => say(`side_${side}`)).join(', '),
    reach: edge.reach,
    jump: digits(edge.jump ?? NaN, 0, 2),
  });
}

const plainText = (text) => text.replaceAll('**', '');

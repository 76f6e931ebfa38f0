// Numbers as text.

/** A number to as many digits as its grain (the distance between two values that can be told apart) allows: at
 * least two behind the point, at most ``most``, two more if it is small. "–" for NaN. */
export function digits(value, grain = 0, most = 3) {
  if (Number.isNaN(value)) return '–';
  const fine = grain > 0 ? Math.max(0, Math.ceil(-Math.log10(grain))) : most;
  const isSmall = Math.abs(value) >= 5e-4 && Math.abs(value) < 0.05;
  const text = value.toFixed(Math.min(isSmall ? most + 2 : most, Math.max(2, fine)));
  return text.replace('-', Number(text) === 0 ? '' : '−');
}

/** A share (0 to 1) in percent; "–" for NaN. */
export function percent(share, decimals = 0) {
  return Number.isNaN(share) ? '–' : `${(100 * share).toFixed(decimals)}%`;
}

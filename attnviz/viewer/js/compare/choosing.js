// What is compared: the one on the screen is always among it, and first.

/** ``first``, and those of ``list`` that are not it, at most so many. */
export function withFirst(first, list, most) {
  return [first, ...list.filter((other) => other !== first)].slice(0, most);
}

/** The list with ``value`` or, unless ``isOn``, without it; in a full list it takes the last one's place. */
export function rechosen(list, value, isOn, most) {
  const others = list.filter((other) => other !== value);
  return isOn ? [...others.slice(0, most - 1), value] : others;
}

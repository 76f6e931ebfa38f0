// The questions of the lesson: what can be chosen, and which of it is right.

/** A question whose choices are numbers as they are printed, in order of size: {choices, right}. ``numbers`` are
 * [value, text], the right one first; what is printed like one before is left out. */
export function ofNumbers(numbers) {
  const texts = numbers.map(([, text]) => text);
  const distinct = numbers.filter(([, text], place) => texts.indexOf(text) === place);
  const ordered = [...distinct].sort(([first], [second]) => first - second);
  return { choices: ordered.map(([, text]) => text), right: ordered.indexOf(numbers[0]) };
}

/** A question whose choices are texts, [key, values] of our words: {choices, right}. */
export function ofWords(say, words, right) {
  return { choices: words.map(([key, values]) => say(key, values)), right };
}

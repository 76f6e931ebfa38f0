// The languages of the page. LANGUAGES, {code: {name, tag}}, their WORDS and their names of CLASSES come with it.

export const ENGLISH = 'en';

/** The code of a language with words; English for any other. */
export function spokenLanguage(code) {
  return code in LANGUAGES ? code : ENGLISH;
}

/** The language that a browser's tag ("zh-TW") asks for; English if there are no words in it. */
export function preferredLanguage(tag) {
  return spokenLanguage(tag.toLowerCase().split('-')[0]);
}

/** The language that a switch leads to. */
export function followingLanguage(code) {
  const codes = Object.keys(LANGUAGES);
  return codes[(codes.indexOf(code) + 1) % codes.length];
}

/** A text with its {holes} filled; in English where the language does not say it. */
export function textIn(code, key, values) {
  return filled(WORDS[code]?.[key] ?? WORDS[ENGLISH][key] ?? key, values);
}

/** A text with its {holes} filled. */
export const filled = (text, values) =>
  text.replace(/\{(\w+)\}/g, (hole, name) => (name in values ? String(values[name]) : hole));

/** What a language calls a class that a network names in English. */
export function classIn(code, name) {
  return CLASSES[code]?.[name] ?? name;
}

// A page to explore captures without anything else, as viewer/standalone.py writes it.
import { ENGLISH, textIn } from '../app/languages.js';
import { titleOf } from '../changes/edits.js';
import { withTexts } from './inline.js';

/** The page's bytes: of captures, [{trace, photo}], ``photo`` as withTexts takes it, in the state of a Selection. ``parts``: its
 * ``template``, ``style`` and ``script``. */
export function pageOf(captures, selection, { template, style, script }) {
  const photos = captures.map(({ trace }) => trace.photo.name);
  const networks = captures.map(({ trace }) => titleOf(inEnglish, trace));
  const held = captures.map(({ trace, photo }) => withTexts(trace, photo));
  const fillings = {
    title: escaped(`${namesIn(photos)} · ${namesIn(networks)} – attnviz`),
    style,
    script: script.replaceAll('</', '<\\/').replaceAll('<!--', '<\\!--'),
    captures: inScript(held),
    state: inScript(stateOf(selection)),
  };
  const page = template.replace(/\{(\w+)\}/g, (_, name) => fillings[name]);
  return new TextEncoder().encode(page);
}

const inEnglish = (key, values) => textIn(ENGLISH, key, values);
const namesIn = (names) => [...new Set(names)].join(', ');

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** JSON in which nothing can end a script. */
const inScript = (value) => JSON.stringify(value).replaceAll('<', '\\u003c');

/** What a page shows first, under the names that app/state.js has. */
function stateOf({ layer, channel, tab, look: { colormap, ...look } }) {
  return { ...look, colours: colormap, layer, channel, tab };
}

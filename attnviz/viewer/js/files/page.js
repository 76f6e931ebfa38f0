// A page to explore captures without anything else, as viewer/standalone.py writes it.
import { withTexts } from './inline.js';

/** The page's bytes: of captures, [{trace, picture}], in the state of a Selection. ``parts``: its ``template``, ``style`` and
 * ``script``. */
export function pageOf(captures, selection, { template, style, script }) {
  const names = [...new Set(captures.map(({ trace }) => trace.photo.name))].join(', ');
  const held = captures.map(({ trace, picture }) => withTexts(trace, picture));
  const fillings = {
    title: escaped(`${names} – attnviz`),
    style,
    script: script.replaceAll('</', '<\\/').replaceAll('<!--', '<\\!--'),
    captures: inScript(held),
    state: inScript(stateOf(selection)),
  };
  const page = template.replace(/\{(\w+)\}/g, (_, name) => fillings[name]);
  return new TextEncoder().encode(page);
}

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** JSON in which nothing can end a script. */
const inScript = (value) => JSON.stringify(value).replaceAll('<', '\\u003c');

/** What a page shows first, under the names that app/state.js has. */
function stateOf({ layer, channel, tab, look: { colormap, ...look } }) {
  return { ...look, colours: colormap, layer, channel, tab };
}

// Our own texts, which have **strong** parts, as nodes.
import { h } from '../vendor/preact.js';

export function withStrong(text) {
  return text.split('**').map((part, index) => (index % 2 ? h('strong', {}, part) : part));
}

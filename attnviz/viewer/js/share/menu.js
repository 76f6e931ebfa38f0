// The menu of what can be given to others: a link, a picture for a post, the code of a frame.
import { addressOf } from '../app/address.js';
import { Button } from '../controls/controls.js';
import { Menu } from '../controls/menu.js';
import { savePicture } from '../save/download.js';
import { nameOf } from '../save/names.js';
import { h } from '../vendor/preact.js';
import { cardPicture } from './card_picture.js';
import { embedCode } from './embed.js';

/** The menu in the bar. */
export function ShareMenu({ viewer }) {
  const { say, opening } = viewer;
  const item = (name, close, act) => {
    const onClick = () => {
      close();
      act();
    };
    return h(Button, { [`data-${name}`]: '', onClick }, say(`share_${name}`));
  };
  return h(Menu, { name: 'share', label: say('share'), side: 'end' }, (close) => [
    item('link', close, viewer.copyLink),
    h('p', { class: 'av-note' }, say('share_link_note')),
    item('post', close, () => savePost(viewer)),
    item('embed', close, () => copyEmbed(viewer)),
    h('p', { class: 'av-note' }, say(opening.frames ? 'share_embed_note' : 'share_embed_off')),
  ]);
}

const savePost = (viewer) => savePicture(viewer, () => cardPicture(viewer), nameOf(viewer, 'post'));

async function copyEmbed(viewer) {
  const code = embedCode(addressOf(viewer), viewer.say('embed_title'));
  try {
    await navigator.clipboard.writeText(code);
    viewer.tell({ key: 'embed_copied' });
  } catch {
    viewer.tell({ key: 'embed_here', values: { code } });
  }
}

// The row of photos: a button to add one, the visitor's own, the examples of the network; the one shown is marked.
import { Button } from '../controls/controls.js';
import { h } from '../vendor/preact.js';
import { useRef, useState } from '../vendor/preact-hooks.js';
import { Camera } from './camera.js';
import { promiseOf } from './promise.js';
import { hasCamera } from './stream.js';

/** The row of ``viewer``. */
export function PhotoRow({ viewer }) {
  const { host, say, mine, examples } = viewer;
  const [isTaking, setTaking] = useState(false);
  const CameraPanel = cameraPanelOf(viewer);
  const hint = say(CameraPanel === Camera ? 'take_photo' : 'live');
  const shown = viewer.trace.asked.photo;
  const isElsewhere = ![...mine, ...examples].some(({ photo }) => photo === shown);
  const elsewhere = isElsewhere ? viewer.photos().filter(({ photo }) => photo === shown) : [];
  return h(
    'div',
    { class: 'av-photos-row' },
    host.addPhoto && h(AddButton, { viewer }),
    host.addPhoto &&
      hasCamera() &&
      h(
        Button,
        {
          class: 'av-button av-sign av-take',
          'aria-label': hint,
          title: hint,
          onClick: () => setTaking(true),
        },
        h(CameraSign),
      ),
    h(
      'div',
      { class: 'av-photo-list', role: 'group', 'aria-label': say('photos') },
      mine.map((photo) => h(PhotoButton, { key: photo.photo, viewer, photo, isMine: true })),
      mine.length > 0 && h('span', { class: 'av-divider', 'aria-hidden': 'true' }),
      [...examples, ...elsewhere].map((photo) =>
        h(PhotoButton, { key: photo.photo, viewer, photo }),
      ),
    ),
    isTaking && h(CameraPanel, { viewer, onClose: () => setTaking(false) }),
  );
}

/** The panel that the camera opens in: the live one, where the page has it and the host traces frames. */
const cameraPanelOf = ({ host, LiveCamera }) => (host.frame && LiveCamera) || Camera;

function AddButton({ viewer }) {
  const { say } = viewer;
  const input = useRef(null);
  const onChange = ({ currentTarget }) => {
    viewer.addPhotos(Array.from(currentTarget.files));
    currentTarget.value = ''; // so that the same file can be chosen again
  };
  return h(
    'label',
    { class: 'av-button av-primary av-add', title: addingHint(viewer) },
    h('span', { 'aria-hidden': 'true' }, '＋ '),
    say('add_photo'),
    h('input', {
      type: 'file',
      multiple: true,
      ref: input,
      class: 'av-hidden-input',
      'data-add': '',
      onChange,
    }),
  );
}

/** Where photos can come from, and what becomes of them. */
function addingHint(viewer) {
  return [viewer.say('add_hint'), promiseOf(viewer)].filter(Boolean).join(' ');
}

/** One photo to choose; one's own can be removed. */
function PhotoButton({ viewer, photo, isMine = false }) {
  const { say, trace } = viewer;
  const { name, title, mark, thumbnail } = photo;
  const isShown = trace.asked.photo === photo.photo;
  const label = [title ?? name, mark].filter(Boolean).join(': ');
  const onClick = () => viewer.open({ photo: photo.photo });
  const onRemove = async ({ currentTarget }) => {
    const list = currentTarget.closest('.av-photo-list');
    await viewer.removePhoto(photo.photo);
    list.querySelector('[aria-pressed="true"]')?.focus();
  };
  const picture = thumbnail
    ? h('img', {
        src: thumbnail,
        alt: '',
        width: 56,
        height: 56,
        loading: 'lazy',
        draggable: false,
      })
    : h('span', { class: 'av-no-picture' }, name.slice(0, 3));
  return h(
    'div',
    {
      class: `av-photo-item${isShown ? ' av-shown' : ''}`,
      'data-photo': photo.photo,
      ...viewer.tools?.givingGates(viewer, photo.photo),
    },
    h(
      'button',
      {
        type: 'button',
        'aria-pressed': String(isShown),
        'aria-label': label,
        title: label,
        onClick,
      },
      picture,
      mark && h('span', { class: 'av-mark', 'aria-hidden': 'true' }, '?'),
    ),
    isMine &&
      h(
        'button',
        {
          type: 'button',
          class: 'av-remove',
          'aria-label': say('remove_photo', { photo: name }),
          title: say('remove_photo', { photo: name }),
          onClick: onRemove,
        },
        '✕',
      ),
  );
}

function CameraSign() {
  const path = 'M3 7h4l2-3h6l2 3h4v13H3z';
  return h(
    'svg',
    { viewBox: '0 0 24 24', width: 20, height: 20, 'aria-hidden': 'true' },
    h('path', {
      d: path,
      fill: 'none',
      stroke: 'currentColor',
      'stroke-width': 2,
      'stroke-linejoin': 'round',
    }),
    h('circle', { cx: 12, cy: 13, r: 4, fill: 'none', stroke: 'currentColor', 'stroke-width': 2 }),
  );
}

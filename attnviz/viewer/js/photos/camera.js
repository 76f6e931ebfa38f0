// A photo from the camera of this machine.
import { Button } from '../controls/controls.js';
import { h } from '../vendor/preact.js';
import { useEffect, useRef, useState } from '../vendor/preact-hooks.js';
import { fileOf, pictureOf, showCamera } from './stream.js';

/** What the camera sees, with a button that takes it. */
export function Camera({ viewer, onClose }) {
  const { say } = viewer;
  const dialog = useRef(null);
  const video = useRef(null);
  const [isReady, setReady] = useState(false);
  const [trouble, setTrouble] = useState(null); // the key of a sentence
  useEffect(() => {
    dialog.current.showModal();
    return showCamera(video.current, setTrouble);
  }, []);
  const take = async () => {
    const file = await fileOf(pictureOf(video.current), 'camera.jpg', 'image/jpeg');
    onClose();
    viewer.addPhotos([file]);
  };
  return h(
    'dialog',
    { class: 'av-camera', ref: dialog, 'aria-label': say('take_photo'), onClose },
    h('video', {
      ref: video,
      autoPlay: true,
      muted: true,
      playsInline: true,
      onLoadedData: () => setReady(true),
    }),
    trouble && h('p', { class: 'av-trouble', role: 'alert' }, say(trouble)),
    h(
      'div',
      { class: 'av-row' },
      h(
        Button,
        { class: 'av-button av-primary', disabled: !isReady, onClick: take },
        say('take_photo'),
      ),
      h(Button, { onClick: onClose }, say('cancel')),
    ),
  );
}

// A photo from the camera of this machine.
import { Button } from '../controls/controls.js';
import { h } from '../vendor/preact.js';
import { useEffect, useRef, useState } from '../vendor/preact-hooks.js';

/** Whether there may be a camera: browsers tell only pages that they trust. */
export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

/** What the camera sees, with a button that takes it. */
export function Camera({ viewer, onClose }) {
  const { say } = viewer;
  const dialog = useRef(null);
  const video = useRef(null);
  const [isReady, setReady] = useState(false);
  const [isRefused, setRefused] = useState(false);
  useEffect(() => {
    dialog.current.showModal();
    return follow(video.current, setRefused);
  }, []);
  const take = async () => {
    const file = await frameOf(video.current);
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
    isRefused && h('p', { class: 'av-trouble', role: 'alert' }, say('no_camera')),
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

/** Let a video show the camera; what this gives back stops it. */
function follow(video, refuse) {
  let stream = null;
  let isOver = false;
  const stop = () => stream?.getTracks().forEach((track) => track.stop());
  navigator.mediaDevices
    .getUserMedia({ video: { facingMode: 'environment' } })
    .then((given) => {
      stream = given;
      if (isOver) stop();
      else video.srcObject = stream;
    })
    .catch(() => refuse(true));
  return () => {
    isOver = true;
    stop();
  };
}

/** What a video shows now, as a file. */
async function frameOf(video) {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d').drawImage(video, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.92));
  return new File([blob], 'camera.jpg', { type: 'image/jpeg' });
}

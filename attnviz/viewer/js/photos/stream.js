// The camera of this machine, as a video shows it.

/** Whether there may be a camera: browsers tell only pages that they trust. */
export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

/** Why there is no picture, by the name of the browser's error: a key of our words. */
const TROUBLES = {
  NotFoundError: 'camera_none',
  OverconstrainedError: 'camera_none',
  NotReadableError: 'camera_busy',
};

/** Let a video show the camera, whose picture is as ``wanted`` where it can be; what this gives back stops it. ``onTrouble``
 * gets the key of a sentence that says why there is no picture, or none any more. */
export function showCamera(video, onTrouble, wanted = {}) {
  let stream = null;
  let isOver = false;
  const stop = () => {
    isOver = true;
    stream?.getTracks().forEach((track) => track.stop());
  };
  const show = (given) => {
    stream = given;
    if (isOver) stop();
    else video.srcObject = stream;
    for (const track of stream.getTracks())
      track.addEventListener('ended', () => onTrouble('camera_ended')); // not by ``stop``
  };
  navigator.mediaDevices
    .getUserMedia({ video: { facingMode: 'environment', ...wanted } })
    .then(show)
    .catch(({ name }) => isOver || onTrouble(TROUBLES[name] ?? 'no_camera'));
  return stop;
}

/** What a video shows now, on a canvas of its own. */
export function pictureOf(video) {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d').drawImage(video, 0, 0);
  return canvas;
}

/** A canvas as a file of that name and type. */
export async function fileOf(canvas, name, type) {
  const blob = await new Promise((done) => canvas.toBlob(done, type, 0.92));
  return new File([blob], name, { type });
}

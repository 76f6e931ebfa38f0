// The live camera: gates move while one holds something into it. A frame can be frozen, and is a photo then.
import { Pointing } from '../app/pointing.js';
import { Notice, Waiting } from '../app/notice.js';
import { Button, Choice } from '../controls/controls.js';
import { fileOf } from '../photos/stream.js';
import { Strip } from '../strip/strip.js';
import { h } from '../vendor/preact.js';
import { useEffect, useMemo, useRef, useState } from '../vendor/preact-hooks.js';
import { FrameCards } from './cards.js';
import { frameRate } from './rate.js';
import { watch } from './watching.js';

/** The panel, over the whole window. */
export function LiveCamera({ viewer, onClose }) {
  const { say } = viewer;
  const dialog = useRef(null);
  const video = useRef(null);
  const [frame, setFrame] = useState(null); // the last one, {trace, rate}
  const [stopped, setStopped] = useState(null); // why, where the camera is not on
  const pointing = useMemo(() => new Pointing(), []); // a frame's cells are no photo's
  useEffect(() => dialog.current.showModal(), []);
  useEffect(() => {
    if (stopped) return null;
    const rateAt = frameRate();
    const onTrace = (trace) => setFrame({ trace, rate: rateAt(performance.now()) });
    return watch(viewer, video.current, { onTrace, onStop: setStopped });
  }, [stopped]);
  const close = () => dialog.current.close();
  const freeze = async () => {
    const file = await fileOf(frame.trace.image, 'camera.png', 'image/png'); // with the gates that were seen
    close();
    viewer.addPhotos([file]);
  };
  return h(
    'dialog',
    { class: 'av-live', ref: dialog, 'aria-labelledby': 'av-live-title', onClose },
    h(
      'header',
      { class: 'av-live-head' },
      h('h2', { id: 'av-live-title' }, say('live')),
      h('p', { class: 'av-live-rate' }, rateText(say, frame, stopped)),
      h(Choices, { viewer }),
      h(
        'div',
        { class: 'av-row' },
        h(
          Button,
          { class: 'av-button av-primary', 'data-freeze': '', disabled: !frame, onClick: freeze },
          say('live_freeze'),
        ),
        h(Button, { 'data-close': '', onClick: close }, say('close')),
      ),
    ),
    h(Waiting, { viewer }),
    viewer.trace.change && h('p', { class: 'av-note', 'data-as-it-is': '' }, say('live_as_it_is')),
    stopped && h(Stopped, { viewer, why: stopped, onGoOn: () => setStopped(null) }),
    h('video', { ref: video, autoPlay: true, muted: true, playsInline: true }),
    frame && h(Frame, { viewer: showing(viewer, frame.trace, pointing) }),
    h('p', { class: 'av-note' }, say('live_promise')),
    h(Notice, { viewer }), // that of the page lies behind
  );
}

const Frame = ({ viewer }) => [h(Strip, { viewer }), h(FrameCards, { viewer })];

/** What the parts of the page take for the viewer, with a frame's trace in place of the photo's; frames are those of the
 * network as it is, and no gates are changed here. */
function showing(viewer, trace, pointing) {
  const state = { ...viewer.state, pin: null };
  return {
    ...viewer,
    trace,
    state,
    pointing,
    tools: null,
    layer: () => trace.layers.find(({ name }) => name === state.layer) ?? null,
    scaleTraces: () => [],
  };
}

/** The network that watches, and what it sees. */
function Choices({ viewer }) {
  const { say, networks, open } = viewer;
  const { network, view } = viewer.trace.asked;
  return [
    h(Choice, {
      label: say('network'),
      options: networks.filter(({ isReady }) => isReady).map(({ name, title }) => [name, title]),
      value: network,
      onChoose: (chosen) => open({ network: chosen }),
      'data-control': 'live-network',
    }),
    h(Choice, {
      label: say('sees'),
      options: ['whole', 'crop'].map((name) => [name, say(`view_${name}`)]),
      value: view,
      onChoose: (chosen) => open({ view: chosen }),
      'data-control': 'live-view',
    }),
  ];
}

/** Why the camera is not on, and a button that tries again. */
function Stopped({ viewer, why, onGoOn }) {
  const { say } = viewer;
  return h(
    'div',
    { class: 'av-row' },
    h(
      'p',
      { class: 'av-trouble', role: 'alert' },
      typeof why === 'string' ? say(why) : viewer.errorText(why),
    ),
    h(Button, { 'data-go-on': '', onClick: onGoOn }, say('live_go_on')),
  );
}

/** How many frames a second are shown; that the first is awaited; nothing while the camera is not on. */
function rateText(say, frame, stopped) {
  if (stopped) return '';
  return frame?.rate ? say('live_rate', { rate: frame.rate.toFixed(1) }) : say('live_starting');
}

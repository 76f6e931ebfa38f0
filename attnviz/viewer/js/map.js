// One layer's map on the photo: read it cell by cell, pin a cell, wipe it away; its colour bar carries the numbers.
import { cellAt, cellBox, colourMaps, drawOverlay, paintRamp } from './colours.js';
import { choice, disclosed, fill, h, sized, slide, tick, watched } from './dom.js';
import { digits, mapRange } from './numbers.js';

export function mapPanel(viewer) {
  const photo = h('canvas', { class: 'av-photo' });
  const marks = h('canvas', { class: 'av-marks', tabindex: 0, role: 'slider', 'aria-valuemin': 0 });
  const stage = h('div', { class: 'av-canvas', 'data-guide': 'map' }, photo, marks);
  const readout = h('p', { class: 'av-readout' });
  const bar = h('canvas', { class: 'av-bar' });
  const ticks = h('div', { class: 'av-ticks' });
  const legend = h('p', { class: 'av-note' });
  const title = h('h3');
  const note = h('p', { class: 'av-note' });
  const controls = h('div', { class: 'av-controls' });
  const tables = h('div');
  const none = h('div', { class: 'av-none' });
  const scale = h('div', { class: 'av-scale' }, bar, ticks, legend);
  const element = h(
    'section',
    { class: 'av-panel av-map' },
    title,
    stage,
    none,
    readout,
    scale,
    controls,
    note,
    tables,
  );
  let width = 0;
  let cursor = null;
  let built = '';

  const layer = () => viewer.layer();
  const size = () => {
    const { model } = viewer;
    const tallest = Math.max(260, Math.min(620, window.innerHeight * 0.7));
    const height = Math.min(tallest, (width * model.photo.height) / model.photo.width);
    return [(height * model.photo.width) / model.photo.height, height];
  };

  function point(event) {
    const { left, top, width: across, height: down } = marks.getBoundingClientRect();
    const {
      photo: { width: w, height: t },
    } = viewer.model;
    return cellAt(
      viewer.model,
      layer(),
      ((event.clientX - left) / across) * w,
      ((event.clientY - top) / down) * t,
    );
  }

  marks.addEventListener('pointermove', (event) => {
    if (layer()?.map) {
      cursor = point(event);
      drawMarks();
    }
  });
  marks.addEventListener('pointerleave', () => {
    cursor = null;
    drawMarks();
  });
  marks.addEventListener('click', (event) => {
    if (layer()?.map) pin(point(event));
  });
  marks.addEventListener('keydown', (event) => {
    const shown = layer();
    if (!shown?.map) return;
    const [row, column] = cursor ?? viewer.state.pin ?? [0, 0];
    const across = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
    const down = { ArrowUp: -1, ArrowDown: 1 }[event.key] ?? 0;
    if (across || down) {
      event.preventDefault();
      cursor = [
        Math.min(shown.height - 1, Math.max(0, row + down)),
        Math.min(shown.width - 1, Math.max(0, column + across)),
      ];
      drawMarks();
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      pin(cursor);
    } else if (event.key === 'Escape') {
      cursor = null;
      viewer.set({ pin: null });
    }
  });

  function pin(cell) {
    const same = cell && viewer.state.pin && cell.join() === viewer.state.pin.join();
    viewer.set({ pin: same ? null : cell });
  }

  function draw() {
    const { model, state, say } = viewer;
    const shown = layer();
    if (!width) return;
    const [across, down] = size();
    const context = sized(photo, across, down);
    stage.style.width = `${across}px`;
    const range = shown?.map && mapRange(model, shown, state.scale, viewer.shown());
    drawOverlay(context, model, shown, range, state, across, down, state.wipe);
    const key = [model.id, shown?.name, viewer.language, viewer.others().length > 0].join(); // what is compared is a scale to choose
    if (built !== key) {
      build(shown);
      built = key;
      cursor = null;
    }
    const has = Boolean(shown?.map);
    scale.hidden = controls.hidden = readout.hidden = note.hidden = tables.hidden = !has;
    none.hidden = has;
    marks.tabIndex = has ? 0 : -1;
    if (has) {
      drawScale(shown, range);
      note.textContent = say(state.smooth ? 'cells_smooth' : 'cells', {
        height: shown.height,
        width: shown.width,
      });
    }
    drawMarks();
  }

  function drawScale(shown, [low, high]) {
    const { state, say } = viewer;
    const across = Math.max(1, width);
    const context = sized(bar, across, 14);
    paintRamp(context, state.colours, across, 14);
    const own = shown.numbers;
    for (const value of [own.least, own.greatest]) {
      const x = Math.min(across - 2, Math.max(2, ((value - low) / (high - low)) * across));
      context.fillStyle = '#fff';
      context.fillRect(x - 2.5, 0, 5, 14);
      context.fillStyle = '#000';
      context.fillRect(x - 1, 0, 2, 14);
    }
    const behind = high - low >= 0.1 ? 2 : 4;
    fill(
      ticks,
      [0, 0.25, 0.5, 0.75, 1].map((share) =>
        h('span', {}, (low + share * (high - low)).toFixed(behind)),
      ),
    );
    const what = shown.shares ? 'what_share' : shown.averaged ? 'what_mean_factor' : 'what_factor';
    legend.textContent =
      say('legend', {
        what: say(what),
        least: digits(own.least),
        greatest: digits(own.greatest),
        scale: say(`scale_${state.scale}`),
      }) + (own.undefined ? say('legend_grey') : '');
  }

  function drawMarks() {
    const { model, state, say } = viewer;
    const shown = layer();
    const [across, down] = size();
    const context = sized(marks, across, down);
    const ratio = across / model.photo.width;
    if (!shown?.map) return;
    if (state.grid && shown.width * 3 < across) {
      context.strokeStyle = 'rgba(255,255,255,.45)';
      context.lineWidth = 1;
      context.beginPath();
      for (let c = 0; c <= shown.width; c++) {
        const [x] = cellBox(shown, 0, c);
        context.moveTo(x * ratio, 0);
        context.lineTo(x * ratio, down);
      }
      for (let r = 0; r <= shown.height; r++) {
        const [, y] = cellBox(shown, r, 0);
        context.moveTo(0, y * ratio);
        context.lineTo(across, y * ratio);
      }
      context.stroke();
    }
    if (state.wipe > 0) {
      context.fillStyle = '#fff';
      context.fillRect(state.wipe * across - 1, 0, 2, down);
    }
    for (const [cell, colour] of [
      [state.pin, '#ffb000'],
      [cursor, '#fff'],
    ]) {
      if (!cell || cell[0] >= shown.height || cell[1] >= shown.width) continue;
      const box = cellBox(shown, ...cell).map((value) => value * ratio);
      context.strokeStyle = '#000';
      context.lineWidth = 4;
      context.strokeRect(...box);
      context.strokeStyle = colour;
      context.lineWidth = 2;
      context.strokeRect(...box);
    }
    const cell = cursor ?? state.pin;
    const [row, column] = cell && cell[0] < shown.height && cell[1] < shown.width ? cell : [-1, -1];
    const value = row < 0 ? null : shown.map.values[row * shown.width + column];
    const said =
      value === null
        ? say('readout_hint')
        : say(cursor ? 'readout' : 'readout_pinned', {
            row: row + 1,
            column: column + 1,
            value: digits(value),
          });
    readout.textContent = said;
    marks.setAttribute('aria-valuemin', 0);
    marks.setAttribute('aria-valuemax', shown.width * shown.height - 1);
    marks.setAttribute('aria-valuenow', Math.max(0, row * shown.width + column));
    marks.setAttribute('aria-valuetext', said);
  }

  function build(shown) {
    const { say, state, model } = viewer;
    title.textContent = shown?.map
      ? say('map_title', { layer: shown.name, height: shown.height, width: shown.width })
      : say('photo_title');
    marks.setAttribute('role', shown?.map ? 'slider' : 'img');
    for (const name of ['valuemin', 'valuemax', 'valuenow', 'valuetext'])
      if (!shown?.map) marks.removeAttribute(`aria-${name}`);
    marks.setAttribute(
      'aria-label',
      shown?.map ? viewer.describeMap(shown) : say('photo_alt', { photo: model.photo.name }),
    );
    if (!shown?.map) {
      const why = shown
        ? say(shown.paths ? 'no_map_paths' : 'no_map', { kind: shown.title })
        : say('no_attention');
      const other =
        viewer.host?.cbam &&
        h(
          'button',
          { type: 'button', class: 'av-button', on: { click: () => viewer.host.cbam() } },
          say('to_cbam'),
        );
      fill(none, h('p', {}, h('strong', {}, say('no_map_title'))), h('p', {}, why), other);
      return;
    }
    const set = (name) => (value) => viewer.set({ [name]: value });
    const scales = [
      'fixed',
      'map',
      'stage',
      'network',
      ...(viewer.others().length ? ['shown'] : []),
    ];
    fill(
      controls,
      slide(say('opacity'), state.opacity, set('opacity'), { 'data-control': 'opacity' }),
      slide(say('wipe'), state.wipe, set('wipe'), { 'data-control': 'wipe' }),
      choice(
        say('colours'),
        colourMaps().map((name) => [name, name]),
        state.colours,
        set('colours'),
        { 'data-control': 'colours' },
      ),
      choice(
        say('scale'),
        scales.map((key) => [key, say(`choose_${key}`)]),
        state.scale,
        set('scale'),
        { 'data-control': 'scale' },
      ),
      tick(say('smooth'), state.smooth, set('smooth'), { 'data-control': 'smooth' }),
      tick(say('grid'), state.grid, set('grid'), { 'data-control': 'grid' }),
    );
    fill(
      tables,
      disclosed(
        'map',
        say('map_table'),
        () => [
          [say('row'), ...Array.from({ length: shown.width }, (_, c) => String(c + 1))],
          Array.from({ length: shown.height }, (_, r) => [
            String(r + 1),
            ...Array.from(
              shown.map.values.subarray(r * shown.width, (r + 1) * shown.width),
              (value) => digits(value),
            ),
          ]),
        ],
        viewer.describeMap(shown),
      ),
    );
  }

  watched(element, (now) => {
    width = now;
    if (viewer.model) draw();
  });
  return { element, draw };
}

// One layer's channel weights as bars, in three orders; numbers, the strongest by name, a search, a table.
import { choice, disclosed, fill, h, ink, sized, watched } from './dom.js';
import { digits, percent, ranked, summary, weightsOf } from './numbers.js';

const HEIGHT = 230;
const LEFT = 34;
const BELOW = 20; // px

export function barsPanel(viewer) {
  const canvas = h('canvas', { class: 'av-bars', tabindex: 0, role: 'slider', 'aria-valuemin': 0 });
  const title = h('h3');
  const readout = h('p', { class: 'av-readout' });
  const numbers = h('p', { class: 'av-note av-numbers' });
  const chips = h('div', { class: 'av-chips' });
  const controls = h('div', { class: 'av-controls' });
  const tables = h('div');
  const element = h(
    'section',
    { class: 'av-panel' },
    title,
    h('div', { class: 'av-canvas', 'data-guide': 'bars' }, canvas),
    readout,
    chips,
    controls,
    numbers,
    tables,
  );
  let width = 0;
  let hover = null;
  let places = [];
  let built = '';
  let values = null;

  const rankOf = (channel) => places.indexOf(channel);
  const at = (event) => {
    const { left, width: across } = canvas.getBoundingClientRect();
    const place = Math.floor(((event.clientX - left - LEFT) / (across - LEFT)) * places.length);
    return place >= 0 && place < places.length ? places[place] : null;
  };
  canvas.addEventListener('pointermove', (event) => {
    hover = at(event);
    paint();
  });
  canvas.addEventListener('pointerleave', () => {
    hover = null;
    paint();
  });
  canvas.addEventListener('click', (event) => {
    const channel = at(event);
    if (channel !== null) viewer.set({ channel });
  });
  canvas.addEventListener('keydown', (event) => {
    const here = rankOf(hover ?? viewer.state.channel ?? places[0]);
    const step = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageUp: 10,
      PageDown: -10,
      Home: -Infinity,
      End: Infinity,
    }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      hover = places[Math.min(places.length - 1, Math.max(0, here + step))];
      paint();
    } else if ((event.key === 'Enter' || event.key === ' ') && hover !== null) {
      event.preventDefault();
      viewer.set({ channel: hover });
    }
  });

  function spans(layer) {
    const own = summary(values, layer.kind);
    if (viewer.state.scale === 'fixed' || !(own.greatest > own.least))
      return [...(layer.channel ? layer.limits : [0, 1]), null];
    return [own.least, own.greatest, own.mean]; // on any other scale bars stand on their mean
  }

  function paint() {
    const layer = viewer.layer();
    const { state, say } = viewer;
    if (!width || !values) return;
    const context = sized(canvas, width, HEIGHT);
    const tall = HEIGHT - BELOW - 6;
    const across = width - LEFT;
    const count = places.length;
    const [low, high, middle] = spans(layer);
    const own = summary(values, layer.kind);
    const y = (value) => 6 + tall - ((value - low) / (high - low)) * tall;
    context.font = '11px system-ui, sans-serif';
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      const value = low + share * (high - low);
      context.fillStyle = ink(element, 'subdued');
      context.fillText(value.toFixed(high - low < 0.1 ? 3 : 2), LEFT - 5, y(value));
      context.fillStyle = ink(element, 'line');
      context.fillRect(LEFT, y(value), across, 1);
    }
    const base = y(middle ?? low);
    const one = across / count;
    context.fillStyle = ink(element, 'accent');
    if (one >= 1) {
      const gap = one > 3 ? 1 : 0;
      places.forEach((channel, place) =>
        bar(context, LEFT + place * one, one - gap, base, y(values[channel])),
      );
    } else {
      // several bars a pixel: up to the least of them solid, up to the greatest paler
      for (let x = 0; x < across; x++) {
        const here = places
          .slice(Math.floor(x / one), Math.max(Math.floor(x / one) + 1, Math.floor((x + 1) / one)))
          .map((channel) => values[channel]);
        const tops = here.filter((value) => !Number.isNaN(value)).map(y);
        if (!tops.length) continue;
        context.globalAlpha = 0.45;
        for (const top of [Math.min(...tops), Math.max(...tops)])
          bar(context, LEFT + x, 1, base, top);
        context.globalAlpha = 1;
        if (Math.max(...tops) < base) bar(context, LEFT + x, 1, base, Math.max(...tops));
      }
    }
    context.setLineDash([5, 4]);
    context.strokeStyle = ink(element, 'text');
    context.beginPath();
    context.moveTo(LEFT, y(own.mean));
    context.lineTo(width, y(own.mean));
    context.stroke();
    context.setLineDash([]);
    for (const [channel, colour] of [
      [state.channel, '#e69f00'],
      [hover, ink(element, 'text')],
    ]) {
      const place = channel === null ? -1 : rankOf(channel);
      if (place < 0) continue;
      context.fillStyle = colour;
      bar(
        context,
        LEFT + place * one - (one < 2 ? 1 : 0),
        Math.max(2, one - 1),
        base,
        y(values[channel]),
      );
      context.beginPath();
      const x = LEFT + (place + 0.5) * one;
      context.moveTo(x, HEIGHT - BELOW + 3);
      context.lineTo(x - 4, HEIGHT - BELOW + 9);
      context.lineTo(x + 4, HEIGHT - BELOW + 9);
      context.fill();
    }
    context.fillStyle = ink(element, 'subdued');
    context.textAlign = 'center';
    context.textBaseline = 'bottom';
    context.fillText(say(`axis_${state.order}`, { count }), LEFT + across / 2, HEIGHT - 1);
    const channel = hover ?? state.channel;
    const said =
      channel === null
        ? say('bars_hint')
        : say('bar', {
            channel,
            value: digits(values[channel]),
            rank: ranked(values, 'size').indexOf(channel) + 1,
            count,
          });
    readout.textContent = said;
    canvas.setAttribute('aria-valuemax', count - 1);
    canvas.setAttribute('aria-valuenow', Math.max(0, channel === null ? 0 : rankOf(channel)));
    canvas.setAttribute('aria-valuetext', said);
  }

  function bar(context, x, thick, base, top) {
    if (!Number.isNaN(top))
      context.fillRect(x, Math.min(base, top), thick, Math.max(0.5, Math.abs(base - top)));
  }

  function draw() {
    const layer = viewer.layer();
    const { model, state } = viewer;
    values = layer && weightsOf(layer);
    element.hidden = !values;
    if (!values) return;
    places = ranked(values, state.order);
    const key = [model.id, layer.name, viewer.language, state.order, state.top].join();
    if (built !== key) {
      build(layer);
      built = key;
      hover = null;
    }
    for (const chip of chips.querySelectorAll('button'))
      chip.setAttribute('aria-pressed', String(Number(chip.dataset.channel) === state.channel));
    paint();
  }

  function build(layer) {
    const { say, state } = viewer;
    const own = summary(values, layer.kind);
    const count = values.length;
    title.textContent = say(
      layer.paths ? 'bars_title_paths' : layer.averaged ? 'bars_title_mean' : 'bars_title',
      { layer: layer.name, count },
    );
    canvas.setAttribute(
      'aria-label',
      say('bars_alt', {
        layer: layer.name,
        count,
        least: digits(own.least),
        greatest: digits(own.greatest),
      }),
    );
    const named = ranked(values, state.order === 'surprise' ? 'surprise' : 'size')
      .filter((channel) => !Number.isNaN(values[channel]))
      .slice(0, state.top);
    fill(
      chips,
      h('span', {}, say(state.order === 'surprise' ? 'most_surprising' : 'strongest')),
      named.map((channel) =>
        h(
          'button',
          {
            type: 'button',
            class: 'av-chip',
            'data-channel': channel,
            on: { click: () => viewer.set({ channel }) },
          },
          `${channel}: ${digits(values[channel])}`,
        ),
      ),
    );
    const find = h('input', {
      type: 'number',
      min: 0,
      max: count - 1,
      step: 1,
      'data-control': 'find',
      placeholder: `0–${count - 1}`,
      on: {
        input: () => {
          const channel = Number(find.value);
          const fits =
            find.value !== '' && Number.isInteger(channel) && channel >= 0 && channel < count;
          find.setAttribute('aria-invalid', String(find.value !== '' && !fits));
          if (fits) viewer.set({ channel });
        },
      },
    });
    if (state.channel !== null) find.value = state.channel;
    fill(
      controls,
      choice(
        say('order'),
        ['index', 'size', 'surprise'].map((name) => [name, say(`order_${name}`)]),
        state.order,
        (order) => viewer.set({ order }),
        { 'data-control': 'order' },
      ),
      choice(
        say('top'),
        [5, 10, 20, 50]
          .filter((top) => top <= count || top === 5)
          .map((top) => [String(top), String(top)]),
        String(state.top),
        (top) => viewer.set({ top: Number(top) }),
        { 'data-control': 'top' },
      ),
      h('label', { class: 'av-field' }, h('span', {}, say('find')), find),
    );
    numbers.textContent =
      say(layer.kind === 'bam' ? 'numbers_bam' : 'numbers', {
        mean: digits(own.mean),
        std: digits(own.std),
        least: digits(own.least),
        greatest: digits(own.greatest),
        high: percent(own.high),
        low: percent(own.low),
      }) + (own.undefined ? say('numbers_undefined', { count: own.undefined }) : '');
    fill(
      tables,
      disclosed('bars', say('bars_table', { count }), () => [
        [say('channel'), say('weight')],
        ranked(values, state.order).map((channel) => [
          String(channel),
          digits(values[channel], 0, 4),
        ]),
      ]),
    );
  }

  watched(element, (now) => {
    width = now;
    if (viewer.model) paint();
  });
  return { element, draw };
}

// Where a diagram's nodes stand and how its edges run, in as much room as there is: from left to right, or downwards
// where that is too narrow.

const WIDEST = 10; // times the type's size, of a picture
const SIGN = 2.5; // of a small node
const NUMBER = 4.9; // of a small node with a number in it
const LETTER = 0.8; // of the width of a letter of a sign
const BORDERS = 1.1; // beside a sign, on both sides together
const CLOSE = 0.7; // the same in a diagram that runs downwards
const GAP = 0.7; // between columns, at least
const WIDEST_GAP = 3.4;
const PROPORTION = 0.66; // of a picture's height to its width
const HEAD = 1.6; // above a picture
const FOOT = 1.4; // below it
const APART = 0.8; // between two lanes
const DOWN = 7; // of a picture's width in a diagram that runs downwards, at most
const BESIDE = 0.6; // between two lanes of it
const WORDS = 1.4; // above a group of it, for its words

/** The layout of a diagram in ``room`` pixels with type of ``size`` pixels, with numbers at the feet of its nodes or
 * without; pictures are at least ``narrowest`` times that size wide: {nodes, edges, groups, width, height, isDown,
 * isTight}, the last whether words above pictures are wider than these. ``nodes`` is a Map from a key to {x, y, width, height, head,
 * foot}: the middle and the size of its picture or sign, and what stands above and below. ``edges`` have their
 * ``points``, [x, y]; ``groups`` their ``box``, [left, top, width, height]. */
export function layoutOf(diagram, room, size, hasFeet, narrowest) {
  const sizes = measured(diagram, room, size, hasFeet, narrowest);
  const isDown = sizes.picture < narrowest * size;
  const bodies = new Map(
    diagram.nodes.map((node) => [node.key, body(diagram, node, sizes, size, hasFeet, isDown)]),
  );
  const placed = isDown
    ? placedDown(diagram, bodies, room, size)
    : placedAcross(diagram, bodies, sizes, room, size);
  const longest = Math.max(...diagram.nodes.map((node) => (node.small ? 0 : lettersOf(node))));
  const picture = isDown ? sizes.below : sizes.picture;
  const isTight = picture < LETTER * size * longest;
  return { ...fitted(diagram, placed, size, isDown), isTight };
}

/** The largest type, in whole pixels, with which a diagram that is as layoutOf's runs from left to right. */
export function typeAcross(diagram, room, hasFeet, narrowest) {
  const { taken, pictures, gaps } = shareOf(diagram, 1, hasFeet);
  return Math.floor(room / (taken + pictures * narrowest + gaps * GAP));
}

/** How wide all columns of small nodes are together, and how many others and gaps there are. */
function shareOf(diagram, size, hasFeet) {
  const columns = columnsOf(diagram);
  const small = columns
    .filter((nodes) => nodes.every((node) => node.small))
    .map((nodes) => Math.max(...nodes.map((node) => signWidth(diagram, node, size, hasFeet))));
  const taken = small.reduce((sum, width) => sum + width, 0);
  return { taken, pictures: columns.length - small.length, gaps: columns.length - 1 };
}

/** The widths of pictures, of small nodes and of gaps, so that all columns fill the room, if they can. */
function measured(diagram, room, size, hasFeet, narrowest) {
  const { taken, pictures, gaps } = shareOf(diagram, size, hasFeet);
  const fitting = (room - taken - gaps * GAP * size) / Math.max(1, pictures);
  const picture = Math.min(fitting, WIDEST * size);
  const left = room - taken - pictures * picture;
  const gap = Math.min(WIDEST_GAP * size, left / Math.max(1, gaps));
  return {
    picture: Math.max(picture, narrowest * size - 1),
    gap: Math.max(gap, GAP * size),
    below: Math.min(DOWN * size, (room - 2 * size) / (spreadOf(diagram) / 2 + 1) - BESIDE * size),
  };
}

/** From the first lane to the last; a picture takes two. */
function spreadOf({ nodes }) {
  const lanes = nodes.map(({ lane }) => lane);
  return Math.max(...lanes) - Math.min(...lanes);
}

/** A diagram's nodes, column by column. */
function columnsOf({ nodes }) {
  const count = 1 + Math.max(...nodes.map(({ column }) => column));
  return Array.from({ length: count }, (_, place) =>
    nodes.filter(({ column }) => column === place),
  );
}

/** Whether a small node has a number that no other node shows as its own. */
export function hasNumber(diagram, { key, small, shows }) {
  const isRepeated = diagram.nodes.some(
    ({ operation, of }) => operation === 'same' && of.includes(key),
  );
  return Boolean(small && shows) && !isRepeated;
}

function lettersOf({ sign }) {
  const parts = [sign].flat(Infinity).filter((part) => !['row', 'sub', 'sup'].includes(part));
  return parts.join('').length;
}

function signWidth(diagram, node, size, hasFeet, isDown = false) {
  return (
    size *
    Math.max(
      hasFeet && hasNumber(diagram, node) ? NUMBER : SIGN,
      LETTER * lettersOf(node) + (isDown ? CLOSE : BORDERS),
    )
  );
}

/** The size of a node: of its picture or sign, and of what stands above and below. */
function body(diagram, node, sizes, size, hasFeet, isDown) {
  const picture = isDown ? sizes.below : sizes.picture;
  if (node.small) {
    const height = (hasFeet && hasNumber(diagram, node) ? SIGN + FOOT - 0.4 : SIGN) * size;
    return { width: signWidth(diagram, node, size, hasFeet, isDown), height, head: 0, foot: 0 };
  }
  const foot = hasFeet && node.shows !== 'units' ? FOOT * size : 0; // no unit is chosen
  return { width: picture, height: picture * PROPORTION, head: HEAD * size, foot };
}

/** The nodes from left to right, each lane a row. */
function placedAcross(diagram, bodies, { gap }, room, size) {
  const tallest = Math.max(
    ...[...bodies.values()].map(({ head, height, foot }) => head + height + foot),
  );
  const step = (tallest + APART * size) / 2; // from lane to lane
  const columns = columnsOf(diagram);
  const widths = columns.map((nodes) => Math.max(...nodes.map(({ key }) => bodies.get(key).width)));
  const total = widths.reduce((sum, width) => sum + width, 0) + gap * (columns.length - 1);
  const placed = new Map();
  let left = Math.max(0, (room - total) / 2);
  for (const [place, nodes] of columns.entries()) {
    for (const { key, lane } of nodes)
      placed.set(key, { ...bodies.get(key), x: left + widths[place] / 2, y: lane * step });
    left += widths[place] + gap;
  }
  return placed;
}

/** The nodes downwards, each lane a column. */
function placedDown(diagram, bodies, room, size) {
  const lanes = diagram.nodes.map(({ lane }) => lane);
  const widest = Math.max(...[...bodies.values()].map(({ width }) => width));
  const step = (widest + BESIDE * size) / 2; // from lane to lane
  const middle = room / 2 - ((Math.max(...lanes) + Math.min(...lanes)) / 2) * step;
  const placed = new Map();
  let top = 0;
  for (const nodes of columnsOf(diagram)) {
    const heads = nodes.map(({ key }) => bodies.get(key).head);
    if (nodes.some(({ key }) => isFirstOfGroup(diagram, key))) top += WORDS * size;
    const above = Math.max(...heads);
    const tall = Math.max(...nodes.map(({ key }) => bodies.get(key).height));
    const below = Math.max(...nodes.map(({ key }) => bodies.get(key).foot));
    for (const { key, lane } of nodes)
      placed.set(key, { ...bodies.get(key), x: middle + lane * step, y: top + above + tall / 2 });
    top += above + tall + below + 1.3 * size;
  }
  return placed;
}

/** The layout with its edges, moved so that all of it lies in its frame. */
function fitted(diagram, placed, size, isDown) {
  const run = isDown ? runDown : runAcross;
  const edges = diagram.edges.map(([start, end, way]) => ({
    start,
    end,
    points: run(placed, start, end, way, size, diagram),
  }));
  const groups = diagram.groups.map(([words, keys]) => ({
    words,
    box: boxAround(placed, keys, size, isDown ? WORDS * size : 0),
  }));
  const tops = [...placed.values()].map(({ y, height, head }) => y - height / 2 - head);
  const bottoms = [...placed.values()].map(({ y, height, foot }) => y + height / 2 + foot);
  const rights = [...placed.values()].map(({ x, width }) => x + width / 2);
  const points = edges.flatMap((edge) => edge.points);
  const boxes = groups.map(({ box }) => box);
  const top = Math.min(...tops, ...points.map(([, y]) => y - 4), ...boxes.map((box) => box[1] - 2));
  const bottom = Math.max(
    ...bottoms,
    ...points.map(([, y]) => y + 4),
    ...boxes.map((box) => box[1] + box[3] + 2),
  );
  const moved = ([x, y]) => [x, y - top];
  return {
    isDown,
    nodes: new Map(Array.from(placed, ([key, node]) => [key, { ...node, y: node.y - top }])),
    edges: edges.map((edge) => ({ ...edge, points: edge.points.map(moved) })),
    groups: groups.map(({ words, box: [x, y, ...extent] }) => ({
      words,
      box: [x, y - top, ...extent],
    })),
    width: Math.max(...rights, ...points.map(([x]) => x + 4)),
    height: bottom - top,
  };
}

/** Around nodes, with so much ``room`` above them. */
function boxAround(placed, keys, size, room) {
  const nodes = keys.map((key) => placed.get(key));
  const pad = size * 0.3;
  const left = Math.min(...nodes.map(({ x, width }) => x - width / 2)) - pad;
  const right = Math.max(...nodes.map(({ x, width }) => x + width / 2)) + pad;
  const top = Math.min(...nodes.map(({ y, height, head }) => y - height / 2 - head)) - pad - room;
  const bottom = Math.max(...nodes.map(({ y, height, foot }) => y + height / 2 + foot)) + pad;
  return [left, top, right - left, bottom - top];
}

/** An edge from left to right: straight; bent where the lanes differ, into a small node from above or below; or round
 * all nodes between. */
function runAcross(placed, startKey, endKey, way, size, diagram) {
  const start = placed.get(startKey);
  const end = placed.get(endKey);
  const from = [start.x + start.width / 2, start.y];
  const to = [end.x - end.width / 2, end.y];
  if (way !== 'straight') return aroundAcross(placed, start, end, way, size, diagram);
  if (start.y === end.y) return [from, to];
  if (isSmall(diagram, endKey) && isMerging(diagram, endKey)) {
    const edge = end.y + (Math.sign(start.y - end.y) * end.height) / 2;
    return [from, [end.x, start.y], [end.x, edge]];
  }
  const middle = isMerging(diagram, endKey)
    ? (Math.max(from[0], to[0] - size * 3) + to[0]) / 2
    : from[0] + size * 0.45;
  return [from, [middle, start.y], [middle, end.y], to];
}

function aroundAcross(placed, start, end, way, size) {
  const between = [...placed.values()].filter(({ x }) => x > start.x && x < end.x);
  const isAbove = way === 'above';
  const outer = isAbove
    ? Math.min(...between.map(({ y, height, head }) => y - height / 2 - head)) - size * 0.6
    : Math.max(...between.map(({ y, height, foot }) => y + height / 2 + foot)) + size * 0.6;
  const leave = isAbove
    ? start.y - start.height / 2 - start.head
    : start.y + start.height / 2 + start.foot;
  const arrive = end.y + ((isAbove ? -1 : 1) * end.height) / 2;
  return [
    [start.x, leave],
    [start.x, outer],
    [end.x, outer],
    [end.x, arrive],
  ];
}

/** The same downwards. */
function runDown(placed, startKey, endKey, way, size) {
  const start = placed.get(startKey);
  const end = placed.get(endKey);
  const from = [start.x, start.y + start.height / 2 + start.foot];
  const to = [end.x, end.y - end.height / 2 - end.head];
  if (way !== 'straight') return aroundDown(placed, start, end, way, size);
  if (start.x === end.x) return [from, to];
  const middle = to[1] - size * 0.6;
  return [from, [start.x, middle], [end.x, middle], to];
}

function aroundDown(placed, start, end, way, size) {
  const between = [...placed.values()].filter(({ y }) => y > start.y && y < end.y);
  const side = way === 'above' ? -1 : 1;
  const edges = between.map(({ x, width }) => side * (x + (side * width) / 2));
  const outer = side * (Math.max(...edges) + size * 0.7);
  return [
    [start.x + (side * start.width) / 2, start.y],
    [outer, start.y],
    [outer, end.y],
    [end.x + (side * end.width) / 2, end.y],
  ];
}

const isSmall = ({ nodes }, key) => nodes.find((node) => node.key === key).small;
const isFirstOfGroup = ({ groups }, key) => groups.some(([, keys]) => keys[0] === key);
const isMerging = ({ edges }, key) => edges.filter(([, end]) => end === key).length > 1;

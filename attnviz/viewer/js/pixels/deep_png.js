// PNG pictures of 16 bits a sample, which devices fill with 10, 12 or 14: browsers keep the high byte alone, the library scales
// by what is used (photos/deep_grey.py, deep_colour.py, sample_depth.py), and so does this.
import { Fault } from '../engine/fault.js';
import { pngParts } from './png_chunks.js';
import { unfiltered } from './png_filters.js';

const STORED = 16; // bits of a sample
const DEPTHS = [8, 10, 12, 14]; // bits that devices have
const MOST_USED = 14; // bits: colours that use more are taken by their high byte
const GREY = 0;
const CHANNELS = { 0: 1, 2: 3, 4: 2, 6: 4 }; // by PNG's colour type
const WITH_ALPHA = [4, 6];
// What the library leaves to Pillow, and this to the browser: a colour that is transparent, a profile.
const LEFT = ['tRNS', 'iCCP', 'acTL'];

/** The parts of a file whose samples are to be scaled here; null for all others. */
export function deepParts(bytes) {
  const parts = pngParts(bytes);
  if (!parts || parts.depth !== STORED || parts.isInterlaced) return null;
  return parts.colour in CHANNELS && !LEFT.some((name) => parts.names.has(name)) ? parts : null;
}

/** The Picture of such parts, on white, and a ``remark`` where its depth had to be assumed, {bits, stored, bitsTaken}. Throws a
 * Fault if it is damaged. */
export async function deepPicture(parts, name) {
  const channels = CHANNELS[parts.colour];
  const samples = await samplesOf(parts, channels, name);
  const hasAlpha = WITH_ALPHA.includes(parts.colour);
  const colours = hasAlpha ? channels - 1 : channels;
  const used = usedBits(samples, channels);
  const seen = used.slice(0, colours).reduce((all, bits) => all | bits, 0);
  const isWhole = parts.colour !== GREY && !isDark(samples, channels, colours, parts.bits);
  const depth = isWhole ? { bits: STORED, isTold: true } : depthOf(seen, parts.bits);
  const whites = used.map((bits, channel) => {
    const isAlpha = channel === colours;
    return isAlpha && bits > whiteOf(depth) ? whiteOf({ bits: STORED }) : whiteOf(depth);
  });
  const scaled = isWhole ? samples.map((sample) => sample >> 8) : scaledBy(samples, whites);
  const { width, height } = parts;
  return {
    picture: { pixels: onWhite(scaled, channels, hasAlpha), width, height, bands: 3 },
    remark: remarkOn(depth, seen),
  };
}

async function samplesOf(parts, channels, name) {
  const stride = parts.width * channels * 2; // bytes of a row
  try {
    const stream = new Blob(parts.data).stream().pipeThrough(new DecompressionStream('deflate'));
    const packed = new Uint8Array(await new Response(stream).arrayBuffer());
    if (packed.length < (stride + 1) * parts.height) throw new RangeError('cut off');
    const bytes = unfiltered(packed, stride, parts.height, channels * 2);
    const samples = new Uint16Array(bytes.length / 2);
    for (let place = 0; place < samples.length; place++)
      samples[place] = (bytes[2 * place] << 8) | bytes[2 * place + 1];
    return samples;
  } catch {
    throw new Fault('fault_photo_unknown', { name });
  }
}

/** Of each channel the bits of all samples, laid one over another. */
function usedBits(samples, channels) {
  const used = Array.from({ length: channels }, () => 0);
  for (let place = 0; place < samples.length; place++) used[place % channels] |= samples[place];
  return used;
}

/** Whether the high bytes of colours are so small that the samples may have fewer than 16 bits. */
function isDark(samples, channels, colours, told) {
  if (told !== null && told >= STORED) return false;
  let greatest = 0;
  for (let place = 0; place < samples.length; place++)
    if (place % channels < colours) greatest = Math.max(greatest, samples[place] >> 8);
  return greatest < 1 << (Math.max(told ?? 0, MOST_USED) - 8);
}

/** The bits that samples are taken to have, and whether the file says so; see sample_depth.py. */
function depthOf(used, told) {
  if (told !== null && told > 0 && told <= STORED && used < 1 << told) {
    const unused = (1 << (STORED - told)) - 1;
    return { bits: used & unused ? told : STORED, isTold: true };
  }
  if (used === 0) return { bits: STORED, isTold: true };
  return { bits: DEPTHS.find((bits) => used < 1 << bits) ?? STORED, isTold: false };
}

const whiteOf = ({ bits }) => 2 ** bits - 1;

/** Samples as bytes, in single precision as NumPy computes it, halves to even. */
function scaledBy(samples, whites) {
  const factors = whites.map((white) => Math.fround(255 / white));
  return Uint8ClampedArray.from(samples, (sample, place) =>
    Math.fround(sample * factors[place % factors.length]),
  );
}

/** Red, green and blue of samples, laid on white where they are transparent, as Pillow rounds it. */
function onWhite(samples, channels, hasAlpha) {
  const isGrey = channels < 3;
  const pixels = new Uint8ClampedArray((samples.length / channels) * 3);
  for (let from = 0, to = 0; to < pixels.length; from += channels, to += 3) {
    const alpha = hasAlpha ? samples[from + channels - 1] : 255;
    for (let band = 0; band < 3; band++) {
      const sum = samples[from + (isGrey ? 0 : band)] * alpha + 255 * (255 - alpha) + 128;
      pixels[to + band] = (sum + (sum >> 8)) >> 8;
    }
  }
  return pixels;
}

function remarkOn({ bits, isTold }, used) {
  if (isTold || bits === STORED) return null;
  return { bits: used.toString(2).length, stored: STORED, bitsTaken: bits };
}

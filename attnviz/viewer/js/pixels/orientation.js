// Which way up a JPEG or WebP was taken, told by its EXIF block, and the same file without that: browsers turn photos before
// anything else, if they do, the server after it made them smaller, and the two round differently.

const [MARKER, START, SCAN, EXIF_SEGMENT] = [0xff, 0xd8, 0xda, 0xe1];
const EXIF = 'Exif\0\0';
const CHUNKS = 12; // bytes in front of a WebP's first chunk
const TAG = 0x0112; // of the orientation
const ENTRY = 12; // bytes
const [SHORT, LONG] = [3, 4]; // the types of whole numbers of 16 and of 32 bits
const ORDERS = { II: true, MM: false }; // whether the lower byte comes first

export const isJpeg = (bytes) => bytes[0] === MARKER && bytes[1] === START;

const isWebp = (bytes) => textAt(bytes, 0, 4) === 'RIFF' && textAt(bytes, 8, 4) === 'WEBP';

const textAt = (bytes, at, length) => String.fromCharCode(...bytes.subarray(at, at + length));

/** {orientation, bytes}: 1 to 8, and the file as if it were 1. Of what is neither JPEG nor WebP: 1, and the file as it is. */
export function uprightFile(bytes) {
  const place = orientationPlace(bytes);
  if (!place) return { orientation: 1, bytes };
  const { at, isLong, isLittle } = place;
  const view = viewOf(bytes);
  const orientation = isLong ? view.getUint32(at, isLittle) : view.getUint16(at, isLittle);
  if (orientation < 2 || orientation > 8) return { orientation: 1, bytes };
  const upright = bytes.slice();
  if (isLong) viewOf(upright).setUint32(at, 1, isLittle);
  else viewOf(upright).setUint16(at, 1, isLittle);
  return { orientation, bytes: upright };
}

const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Where the orientation stands in a file: {at, isLong, isLittle}; null where it does not. */
function orientationPlace(bytes) {
  try {
    const block = exifBlock(bytes);
    return block === null ? null : placeIn(bytes, block);
  } catch {
    return null; // rubbish where EXIF should be: the picture itself may be fine
  }
}

/** Where the EXIF block of a file begins, behind its name; null if there is none. */
function exifBlock(bytes) {
  if (isJpeg(bytes)) return blockOfJpeg(bytes);
  return isWebp(bytes) ? blockOfWebp(bytes) : null;
}

/** In a JPEG it stands before the picture itself. */
function blockOfJpeg(bytes) {
  const view = viewOf(bytes);
  for (
    let at = 2;
    bytes[at] === MARKER && bytes[at + 1] !== SCAN;
    at += 2 + view.getUint16(at + 2)
  ) {
    const isExif = textAt(bytes, at + 4, EXIF.length) === EXIF;
    if (bytes[at + 1] === EXIF_SEGMENT && isExif) return at + 4 + EXIF.length;
  }
  return null;
}

/** In a WebP it is a chunk, which some programs begin with the name that it has in JPEGs. */
function blockOfWebp(bytes) {
  const view = viewOf(bytes);
  for (let at = CHUNKS; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true);
    if (textAt(bytes, at, 4) === 'EXIF')
      return at + 8 + (textAt(bytes, at + 8, EXIF.length) === EXIF ? EXIF.length : 0);
    at += 8 + length + (length % 2);
  }
  return null;
}

/** Where the orientation's number stands in the first directory of a block. */
function placeIn(bytes, block) {
  const view = viewOf(bytes);
  const isLittle = ORDERS[textAt(bytes, block, 2)];
  const directory = block + view.getUint32(block + 4, isLittle);
  const entries = view.getUint16(directory, isLittle);
  for (let index = 0; index < entries; index++) {
    const at = directory + 2 + index * ENTRY;
    const kind = view.getUint16(at + 2, isLittle);
    if (view.getUint16(at, isLittle) === TAG && [SHORT, LONG].includes(kind))
      return { at: at + 8, isLong: kind === LONG, isLittle };
  }
  return null;
}

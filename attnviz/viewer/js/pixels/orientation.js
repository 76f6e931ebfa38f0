// Which way up a JPEG was taken, told by its EXIF block, and the same file without that: browsers turn photos before anything
// else, the server after it made them smaller, and the two round differently.

const [MARKER, START, SCAN, EXIF_SEGMENT] = [0xff, 0xd8, 0xda, 0xe1];
const EXIF = 'Exif\0\0';
const TAG = 0x0112; // of the orientation
const ENTRY = 12; // bytes
const SHORT = 3; // the type of a whole number of 16 bits
const ORDERS = { II: true, MM: false }; // whether the lower byte comes first

export const isJpeg = (bytes) => bytes[0] === MARKER && bytes[1] === START;

/** {orientation, bytes}: 1 to 8, and the file as if it were 1. Of what is no JPEG: 1, and the file as it is. */
export function uprightFile(bytes) {
  const place = orientationPlace(bytes);
  if (!place) return { orientation: 1, bytes };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const orientation = view.getUint16(place.at, place.isLittle);
  if (orientation < 2 || orientation > 8) return { orientation: 1, bytes };
  const upright = bytes.slice();
  new DataView(upright.buffer).setUint16(place.at, 1, place.isLittle);
  return { orientation, bytes: upright };
}

/** Where the orientation stands in a JPEG: {at, isLittle}; null where it does not. */
function orientationPlace(bytes) {
  try {
    const block = exifBlock(bytes);
    return block === null ? null : placeIn(bytes, block);
  } catch {
    return null; // rubbish where EXIF should be: the picture itself may be fine
  }
}

/** Where the EXIF block of a JPEG begins, behind its name; null if there is none before the picture itself. */
function exifBlock(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isJpeg(bytes)) return null;
  for (
    let at = 2;
    bytes[at] === MARKER && bytes[at + 1] !== SCAN;
    at += 2 + view.getUint16(at + 2)
  ) {
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 4 + EXIF.length));
    if (bytes[at + 1] === EXIF_SEGMENT && name === EXIF) return at + 4 + EXIF.length;
  }
  return null;
}

/** Where the orientation's number stands in the first directory of a block. */
function placeIn(bytes, block) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = ORDERS[String.fromCharCode(bytes[block], bytes[block + 1])];
  const directory = block + view.getUint32(block + 4, isLittle);
  const entries = view.getUint16(directory, isLittle);
  for (let index = 0; index < entries; index++) {
    const at = directory + 2 + index * ENTRY;
    const isNumber = view.getUint16(at + 2, isLittle) === SHORT;
    if (view.getUint16(at, isLittle) === TAG && isNumber) return { at: at + 8, isLittle };
  }
  return null;
}

// Zip files, as APPNOTE.TXT of PKWARE has them: every entry deflated, names in UTF-8.

const VERSION = 20; // of the format, which reads deflated entries
const IN_UTF8 = 0x0800;
const DEFLATED = 8;
const FIRST_DAY = 0x0021; // 1 January 1980: files say nothing of when they were made
const [LOCAL, CENTRAL, END] = [0x04034b50, 0x02014b50, 0x06054b50];

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/** A zip of files, [[path, bytes]], as a Blob. ``onFile`` is called with how many are in it. */
export async function zipped(files, onFile = () => {}) {
  const parts = [];
  const index = [];
  let offset = 0;
  for (const [place, [path, content]] of files.entries()) {
    const name = new TextEncoder().encode(path);
    const packed = await deflated(content);
    const about = {
      name,
      packed: packed.length,
      size: content.length,
      crc: crcOf(content),
      offset,
    };
    parts.push(localHeader(about), name, packed);
    index.push(centralHeader(about), name);
    offset += 30 + name.length + packed.length;
    onFile(place + 1);
  }
  const size = index.reduce((sum, part) => sum + part.byteLength, 0);
  return new Blob([...parts, ...index, endRecord(files.length, size, offset)], {
    type: 'application/zip',
  });
}

async function deflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function crcOf(bytes) {
  let crc = -1;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function localHeader(about) {
  const header = new DataView(new ArrayBuffer(30));
  header.setUint32(0, LOCAL, true);
  putAbout(header, 4, about);
  return header;
}

function centralHeader(about) {
  const header = new DataView(new ArrayBuffer(46));
  header.setUint32(0, CENTRAL, true);
  header.setUint16(4, VERSION, true);
  putAbout(header, 6, about);
  header.setUint32(42, about.offset, true);
  return header;
}

/** What both headers say of an entry. */
function putAbout(header, at, { name, packed, size, crc }) {
  const shorts = [VERSION, IN_UTF8, DEFLATED, 0, FIRST_DAY];
  for (const [place, value] of shorts.entries()) header.setUint16(at + 2 * place, value, true);
  for (const [place, value] of [crc, packed, size].entries())
    header.setUint32(at + 10 + 4 * place, value, true);
  header.setUint16(at + 22, name.length, true);
}

function endRecord(count, size, offset) {
  const record = new DataView(new ArrayBuffer(22));
  record.setUint32(0, END, true);
  record.setUint16(8, count, true);
  record.setUint16(10, count, true);
  record.setUint32(12, size, true);
  record.setUint32(16, offset, true);
  return record;
}

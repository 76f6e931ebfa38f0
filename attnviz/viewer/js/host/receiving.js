// What of a response or of another stream is here, as it comes.

/** The bytes of a stream; ``report`` is told how many of them are here. */
export async function received(stream, report = () => {}) {
  const reader = stream.getReader();
  const parts = [];
  let done = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    done += part.value.length;
    report(done);
  }
  return joined(parts, done);
}

function joined(parts, length) {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

// What of a response is here, as it comes.

/** A response's body, a Blob; ``report`` is told how many bytes of it are here. */
export async function received(response, report) {
  const reader = response.body.getReader();
  const parts = [];
  let done = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    done += part.value.length;
    report(done);
  }
  return new Blob(parts);
}

// Checksums: files of a page without a server have the first digits of their own in their names.

const NAMED = /-([0-9a-f]{12})\.\w+$/;

/** The SHA-256 of bytes in hexadecimal; null on pages that the browser does not trust with that. */
export async function sumOf(bytes) {
  if (!crypto.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether bytes are those of the file of this name, as far as that can be told. */
export async function isWhole(name, bytes) {
  const digits = NAMED.exec(name)?.[1];
  const sum = digits && (await sumOf(bytes));
  return !sum || sum.startsWith(digits);
}

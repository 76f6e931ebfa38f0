// What is wrong with a network or a photo, so that whoever shows it can say it in any language.

/** ``key`` names a sentence among our words, ``values`` fill its holes. */
export class Fault extends Error {
  constructor(key, values = {}) {
    super(key);
    Object.assign(this, { key, values });
  }
}

// The example photos of each network, which are asked for once in each language.

/** The examples that a host has. */
export class Examples {
  #host;
  #kept = new Map(); // by network and language: [Photo], see host.js

  constructor(host) {
    this.#host = host;
  }

  /** Those that came with something else. */
  put(network, language, photos) {
    this.#kept.set(keyOf(network, language), photos);
    return photos;
  }

  async get(network, language, options) {
    const kept = this.#kept.get(keyOf(network, language));
    return (
      kept ?? this.put(network, language, await this.#host.examples(network, language, options))
    );
  }
}

const keyOf = (network, language) => JSON.stringify([network, language]);

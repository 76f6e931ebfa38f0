// What becomes of a part of a layer's factor, number by number: part' = times · part + plus, as capture/changes.py has it.

/** A change of a part of so many numbers. */
export class Change {
  constructor(times, plus) {
    Object.assign(this, { times, plus }); // Float64Arrays
  }

  /** Puts values in place of a part's own. */
  static put(values) {
    return new Change(new Float64Array(values.length), Float64Array.from(values));
  }

  /** Does the same to each of so many numbers. */
  static ofAll(count, times, plus) {
    return new Change(new Float64Array(count).fill(times), new Float64Array(count).fill(plus));
  }

  /** This one, and then another. */
  followedBy({ times, plus }) {
    return new Change(
      this.times.map((factor, place) => times[place] * factor),
      this.plus.map((added, place) => times[place] * added + plus[place]),
    );
  }

  /** What becomes of the value at a place. */
  at(place, value) {
    return this.times[place] * value + this.plus[place];
  }
}

/** The values of a part after a ``change`` of it; without one they stay. */
export const changed = (values, change) =>
  change ? values.map((value, place) => change.at(place, value)) : values;

// What has to be drawn again.

/** A function that says whether the values under a name are others than when it was last asked. */
export function changes() {
  const before = {};
  return (name, ...values) => {
    const now = values.join();
    const isOther = before[name] !== now;
    before[name] = now;
    return isOther;
  };
}

// How many frames a second there are.

const COUNTED = 12; // frames, the last ones

/** What counts them: call it with each frame's time in milliseconds; it gives the frames a second of the last ones, 0 for the
 * first. */
export function frameRate() {
  const times = [];
  return (now) => {
    times.push(now);
    if (times.length > COUNTED) times.shift();
    const took = now - times[0];
    return took > 0 ? (1000 * (times.length - 1)) / took : 0;
  };
}

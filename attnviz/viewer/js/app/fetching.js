// Scripts of the page that are fetched when they are first needed.

const fetched = new Map(); // by address: the promise that it has run

/** Fetch a script and let it run; once, but for one that did not come. */
export function fetchedOnce(address) {
  if (!fetched.has(address)) {
    const promise = hasRun(address);
    promise.catch(() => fetched.delete(address));
    fetched.set(address, promise);
  }
  return fetched.get(address);
}

function hasRun(address) {
  const element = document.createElement('script');
  return new Promise((done, failed) => {
    element.addEventListener('load', done);
    element.addEventListener('error', () => failed(new Error('no script')));
    element.src = address;
    document.head.append(element);
  });
}

// Light or dark: as the system is, until it is chosen.

const CHOSEN = 'attnviz-theme'; // in the browser's storage
const DARK = 'av-dark'; // class of the document
const THEMES = ['light', 'dark'];

/** The theme of the page: {name, toggle}; ``changed`` is called whenever it is another one. ``told`` is what the page
 * around it asks for, if anything. */
export function pageTheme(changed, told = null) {
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = kept() ?? (THEMES.includes(told) ? told : null);
  const name = () => chosen ?? (system.matches ? 'dark' : 'light');

  function apply() {
    document.documentElement.classList.toggle(DARK, name() === 'dark');
    changed();
  }

  function toggle() {
    chosen = name() === 'dark' ? 'light' : 'dark';
    keep(chosen);
    apply();
  }

  system.addEventListener('change', apply);
  document.documentElement.classList.toggle(DARK, name() === 'dark');
  return { name, toggle };
}

function kept() {
  try {
    const name = localStorage.getItem(CHOSEN);
    return THEMES.includes(name) ? name : null;
  } catch {
    return null;
  }
}

function keep(name) {
  try {
    localStorage.setItem(CHOSEN, name);
  } catch {
    // a private window, or a notebook's cell: for this visit
  }
}

import './portal.css';
import './bureau.css';
import './bureau';

/** What scripts add to the portal's pages, which are whole without them. */

// The map was once the first page: its links carried the place behind the #, which no server sees.
if (location.pathname === '/' && /^#\d+(\.\d+)?\/-?\d/.test(location.hash))
  location.replace(`/carte${location.search}${location.hash}`);

// Escape closes the menu of phones, and a click beside it.
const menu = document.querySelector<HTMLDetailsElement>('details.drop');
if (menu) {
  document.addEventListener('keydown', (e) => {
    if (e.key !== 'Escape' || !menu.open) return;
    menu.open = false;
    menu.querySelector('summary')?.focus();
  });
  document.addEventListener('click', (e) => {
    if (!menu.contains(e.target as Node)) menu.open = false;
  });
}

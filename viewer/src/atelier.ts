import './atelier.css';
import './room.css';
import './paper.css';
import './report.css';
import { enterByKeys } from './entry';
import { offerPrinting } from './print';
import { callsEnd, follow, fresh, replaceLive } from './room/live';
import { unguard } from './room/guard';
import { Room } from './room/page';

/**
 * What scripts add to the pages of mapping sessions, which are whole without: they follow the log of changes, keep
 * answers while the hub is out of reach, take the keys 1 to 4 for answers, and bring a map that moves.
 */

/** The keys 1 to 4 press the answer that carries them. */
function keys(): void {
  document.addEventListener('keydown', (e) => {
    if (e.altKey || e.ctrlKey || e.metaKey || (e.target as HTMLElement).closest('input, textarea, select'))
      return;
    const button = document.querySelector<HTMLButtonElement>(
      `form[data-question] button[data-key="${CSS.escape(e.key)}"]`,
    );
    if (button && !button.closest('[hidden]')) {
      e.preventDefault();
      button.click();
    }
  });
}

const { room, events } = document.body.dataset;
callsEnd();
if (room) {
  keys();
  void Room.begin(room);
} else if (location.pathname === '/atelier') {
  void unguard(); // whoever left a room comes here
} else if (events) {
  follow(events, async () => {
    const now = await fresh(true);
    if (now) replaceLive(now);
  });
}
const area = document.querySelector<HTMLElement>('[data-draw]');
if (area) void import('./room/area').then((m) => m.area(area));
const sheet = document.querySelector<HTMLFormElement>('form[data-sheet]');
if (sheet) enterByKeys(sheet);
offerPrinting();

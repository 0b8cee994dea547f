import type { PlaceMap } from './place';
import { words } from './words';

/** "Yes, but elsewhere": where, is shown on the moving map before the answer leaves. */
export class Pointing {
  readonly #map: () => PlaceMap | null;
  #end = () => {};

  constructor(map: () => PlaceMap | null) {
    this.#map = map;
  }

  /** Whether an answer waits until its place is shown; what was said otherwise needs no map. */
  wants(form: HTMLFormElement, button: HTMLButtonElement): boolean {
    const map = this.#map();
    const field = form.elements.namedItem('valeur-_geom') as HTMLInputElement | null;
    const told = (form.elements.namedItem('metres') as HTMLSelectElement | null)?.value;
    if (!map?.ready || !field || field.value || told || button.dataset.pointed) return false;
    this.#begin(form, button, field, map);
    return true;
  }

  #begin(form: HTMLFormElement, button: HTMLButtonElement, field: HTMLInputElement, map: PlaceMap): void {
    const w = words();
    const panel = document.createElement('div');
    panel.className = 'pointing';
    const how = document.createElement('p');
    how.textContent = w.pointHow ?? '';
    how.setAttribute('role', 'status');
    const answers = [...form.querySelectorAll<HTMLElement>('.an, .note-more, .fld')];
    const act = (label: string | undefined, kind: string, then: () => void) => {
      const b = document.createElement('button');
      b.type = 'button';
      b.className = kind;
      b.textContent = label ?? '';
      b.addEventListener('click', then);
      panel.append(b);
      return b;
    };
    this.#end = () => {
      panel.remove();
      for (const a of answers) a.hidden = false;
      map.point(false);
      this.#end = () => {};
    };
    const send = () => {
      button.dataset.pointed = '1';
      form.requestSubmit(button);
    };
    panel.append(how);
    act(w.pointHere, 'btn big full', () => {
      field.value = map
        .centre()
        .map((n) => n.toFixed(7))
        .join(' ');
      send();
    });
    act(w.pointNone, 'btn sec full', send);
    act(w.pointBack, 'btn qt', () => {
      this.#end();
      button.focus();
    });
    for (const a of answers) a.hidden = true;
    form.append(panel);
    map.point(true);
  }

  end(): void {
    this.#end();
  }
}

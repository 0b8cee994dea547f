/**
 * One key a line: a figure that is typed leads on to the next line, Backspace in an empty line back to the one before,
 * arrows up and down. The key of an answer that says where leads on to the square of the map, and Enter from there to
 * the next line. Enter elsewhere sends the form, as everywhere.
 */
export function enterByKeys(form: HTMLFormElement): void {
  const lines = [...form.querySelectorAll<HTMLInputElement>('input.k')];
  const go = (i: number): void => {
    const at = lines[i] ?? form.querySelector<HTMLElement>('button[type=submit]');
    at?.focus();
    if (at instanceof HTMLInputElement) at.select();
  };
  lines.forEach((line, i) => {
    line.addEventListener('input', () => {
      line.value = line.value.replace(/[^0-4]/g, '');
      const square = line.closest('li')?.querySelector<HTMLInputElement>('input.sq');
      if (square && line.value === square.dataset.after) square.focus();
      else if (line.value) go(i + 1);
    });
    line.addEventListener('keydown', (e) => {
      if (e.altKey || e.ctrlKey || e.metaKey) return;
      const back = e.key === 'ArrowUp' || (e.key === 'Backspace' && !line.value);
      if (!back && e.key !== 'ArrowDown') return;
      e.preventDefault();
      go(back ? Math.max(0, i - 1) : i + 1);
    });
  });
  lines.forEach((line, i) =>
    line
      .closest('li')
      ?.querySelector('input.sq')
      ?.addEventListener('keydown', (e) => {
        const { key } = e as KeyboardEvent;
        if (key !== 'Enter' && key !== 'ArrowDown' && key !== 'ArrowUp') return;
        e.preventDefault();
        go(key === 'ArrowUp' ? i : i + 1);
      }),
  );
  const saved = document.querySelector<HTMLElement>('[data-first]');
  const wrong = lines.findIndex((l) => l.getAttribute('aria-invalid'));
  if (saved) saved.focus();
  else go(Math.max(0, wrong));
}

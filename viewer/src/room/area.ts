/**
 * The area of a session, drawn: the map comes when "a shape" is chosen. `field` holds the form's text area, which stays
 * the way for those who have a file, and its data the sentences.
 */
export function area(field: HTMLElement): void {
  const radio = document.querySelector<HTMLInputElement>('input[name=zone][value=forme]');
  const text = field.querySelector<HTMLTextAreaElement>('textarea');
  const box = document.querySelector<HTMLElement>('.two .mapbox');
  if (!radio || !text || !box) return;
  const w = field.dataset;
  const label = radio.closest('label')?.lastChild;
  if (label) label.textContent = w.draw ?? '';
  const panel = document.createElement('div');
  panel.className = 'drawing';
  const paste = document.createElement('details');
  const title = document.createElement('summary');
  title.className = 'tall';
  title.textContent = w.drawPaste ?? '';
  paste.append(title, ...field.childNodes);
  field.append(panel, paste);
  let begun = false;
  const begin = async () => {
    if (begun) return;
    begun = true;
    const { Drawing } = await import('./draw');
    const drawing = new Drawing(box, panel, w, text.value, (shape) => {
      text.value = shape;
      text.dispatchEvent(new Event('change'));
    });
    text.addEventListener('input', () => drawing.read(text.value));
    const shown = () => drawing.show(radio.checked);
    for (const r of document.querySelectorAll('input[name=zone]')) r.addEventListener('change', shown);
    shown();
  };
  // Where a proposal is shown, its map stays until the shape is taken up again.
  if (radio.checked && box.querySelector('svg.m')) {
    const again = document.createElement('button');
    again.type = 'button';
    again.className = 'btn sec';
    again.textContent = w.drawChange ?? '';
    again.addEventListener('click', () => {
      again.remove();
      void begin();
    });
    panel.append(again);
  } else if (radio.checked) void begin();
  for (const r of document.querySelectorAll('input[name=zone]'))
    r.addEventListener('change', () => {
      if (radio.checked) void begin();
    });
}

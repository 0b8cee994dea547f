/** What scripts add to the desk of producers: progress that moves, and a word before a file that is too large is sent. */

interface Progress {
  state: string;
  text: string;
  percent: number;
}

// The page of a file that is being read is drawn again by the server as soon as a person is needed.
const address = document.body.dataset['delivery'];
if (address) {
  const state = document.body.dataset['state'];
  const step = document.querySelector('#etape b');
  const bar = document.querySelector<HTMLProgressElement>('#barre');
  const events = new EventSource(address);
  events.onmessage = (e: MessageEvent<string>) => {
    const p = JSON.parse(e.data) as Progress;
    if (step && step.textContent !== p.text) step.textContent = p.text;
    if (bar && p.percent >= 0) bar.value = p.percent;
    else bar?.removeAttribute('value');
    const moving = p.state === 'waiting' || p.state === 'loading' || p.state === 'publishing';
    if (moving || p.state === state) return;
    events.close();
    location.reload();
  };
}

// A file that would be refused at its end is refused before it is sent.
for (const input of document.querySelectorAll<HTMLInputElement>('input[type=file][data-max]')) {
  const check = () => {
    const tooLarge = (input.files?.[0]?.size ?? 0) > Number(input.dataset['max']);
    input.setCustomValidity(tooLarge ? (input.dataset['tooLarge'] ?? '') : '');
    if (tooLarge) input.reportValidity();
  };
  input.addEventListener('change', check);
  input.form?.addEventListener('submit', (e) => {
    check();
    if (!input.validity.customError) return;
    e.preventDefault();
    input.reportValidity();
  });
}
